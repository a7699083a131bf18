#include "service_discovery.h"

#include "hector/check.h"
#include "objects/adoption.h"

namespace hector::zeromq {

namespace {

/// Ours: other brokers answer 501.
constexpr const char* kListQuestion = "mmi.services";
constexpr const char* kNameQuestion = "mmi.service";
/// Where the broker has not answered: questions would pile up for one that is not there.
constexpr Duration kAskAgain = std::chrono::seconds(5);

}  // namespace

void ServiceDiscovery::tick(TimePoint now) {
  if (now < awaited_until_) return;
  awaited_until_ = now + kAskAgain;
  questions_.clear();
  if (has_list_) return ask_(kListQuestion, "");
  for (const auto& name : wanted_) {
    if (name.ends_with('*')) continue;
    questions_.push_back(name);
    ask_(kNameQuestion, name);
  }
}

void ServiceDiscovery::receive(const MdpMessage& message) {
  HECTOR_CHECK(!message.body.empty(), "an answer without a frame is no message");
  if (message.service == kListQuestion) return list_is(message.body);
  if (message.service == kNameQuestion) answer_is(message.body.front());
}

void ServiceDiscovery::list_is(const Frames& body) {
  awaited_until_ = {};
  if (body.front() != "200") {
    has_list_ = false;
    return;
  }
  const std::set<std::string> there(body.begin() + 1, body.end());
  for (const auto& name : there) {
    if (objects::is_listed(wanted_, name)) note(name, true);
  }
  std::vector<std::string> gone;
  for (const auto& name : known_) {
    if (!there.contains(name)) gone.push_back(name);
  }
  for (const auto& name : gone) note(name, false);
}

void ServiceDiscovery::answer_is(const std::string& code) {
  if (questions_.empty()) return;  // of a question that was given up
  const std::string name = std::move(questions_.front());
  questions_.pop_front();
  if (questions_.empty()) awaited_until_ = {};
  note(name, code == "200");
}

void ServiceDiscovery::note(const std::string& service, bool is_there) {
  if (is_own_(service)) return;
  const bool is_news = is_there ? known_.insert(service).second : known_.erase(service) != 0;
  if (is_news) changed_(service, is_there);
}

}  // namespace hector::zeromq
