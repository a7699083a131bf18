#include "service_discovery.h"

#include <algorithm>

#include "hector/check.h"
#include "objects/adoption.h"

namespace hector::zeromq {

namespace {

/// Ours: other brokers answer 501.
constexpr const char* kListQuestion = "mmi.services";
constexpr const char* kNameQuestion = "mmi.service";  ///< of 8/MMI
/// Where nobody has answered, at first and at last: questions pile up in a broker that keeps them
/// for a service of that name.
constexpr Duration kAskAgain = std::chrono::seconds(5), kAskAgainMax = std::chrono::seconds(60);

Duration longer(Duration wait) { return std::clamp(2 * wait, kAskAgain, kAskAgainMax); }

}  // namespace

void ServiceDiscovery::tick(TimePoint now) {
  now_ = now;
  if (way_ == Way::kServices) return ask_services(now);
  if (now < awaited_until_) return;
  if (patience_ != Duration::zero()) ask_services(now);  // it has not answered
  patience_ = patience_ == Duration::zero() ? kAskAgain : longer(patience_);
  awaited_until_ = now + patience_;
  questions_.clear();
  if (way_ == Way::kList) return ask_(kListQuestion, "");
  ask_names();
}

void ServiceDiscovery::ask_names() {
  for (const auto& name : wanted_) {
    if (name.ends_with('*')) continue;
    questions_.push_back(name);
    ask_(kNameQuestion, name);
  }
}

void ServiceDiscovery::ask_services(TimePoint now) {
  now_ = now;
  for (const auto& name : wanted_) {
    if (!name.ends_with('*')) note(name, true);
  }
}

void ServiceDiscovery::unanswered(const std::string& service, TimePoint now) {
  if (known_.erase(service) == 0) return;  // it has left meanwhile
  auto& retry = unanswered_[service];
  retry.wait = longer(retry.wait);
  retry.at = now + retry.wait;
}

void ServiceDiscovery::receive(const MdpMessage& message) {
  HECTOR_CHECK(!message.body.empty(), "an answer without a frame is no message");
  if (message.service == kListQuestion) return list_is(message.body);
  if (message.service == kNameQuestion) answer_is(message.body.front());
}

void ServiceDiscovery::list_is(const Frames& body) {
  awaited_until_ = {};
  patience_ = {};
  if (body.front() != "200") {
    way_ = Way::kNames;
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
  patience_ = {};
  if (questions_.empty()) awaited_until_ = {};
  if (code == "200" || code == "404") return note(name, code == "200");
  way_ = Way::kServices;
}

void ServiceDiscovery::note(const std::string& service, bool is_there) {
  if (is_own_(service)) return;
  const auto retry = unanswered_.find(service);
  if (is_there && retry != unanswered_.end() && now_ < retry->second.at) return;
  if (!is_there) unanswered_.erase(service);
  const bool is_news = is_there ? known_.insert(service).second : known_.erase(service) != 0;
  if (is_news) changed_(service, is_there);
}

}  // namespace hector::zeromq
