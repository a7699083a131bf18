#include "roc_client.h"

#include <fmt/format.h>

#include <future>

#include "hector/check.h"

namespace hector::zeromq {

namespace {

/// A service that does not describe itself answers at once that it has no such method; one that is
/// hung is asked again at the next discovery.
constexpr Duration kDescribeTimeout = std::chrono::seconds(2);
/// ROC's own clients wait this long.
constexpr Duration kDefaultTimeout = std::chrono::seconds(30);
/// Late by at most this much: a tenth of the shortest time-out that users set.
constexpr Duration kExpireEvery = std::chrono::milliseconds(50);

Error closed() { return Error::unavailable("the ROC network is closed"); }

}  // namespace

Status RocClient::open(OnManagement on_management) {
  HECTOR_CHECK(socket_ == nullptr, "a ROC client is opened twice");
  on_management_ = std::move(on_management);
  socket_ = HECTOR_TRY(link_->reactor.open(zmq::socket_type::dealer, Reactor::How::kConnect,
                                           link_->options.at.broker,
                                           [this](const Frames& frames) { receive(frames); }));
  link_->reactor.every(kExpireEvery, [this] { expire(); });
  return {};
}

Duration RocClient::time_left(const Call& call) const {
  if (call.header.deadline == kNever) return kDefaultTimeout;
  return std::max<Duration>(call.header.deadline - link_->context.clock->now(),
                            std::chrono::milliseconds(1));
}

void RocClient::request(const std::string& service, const std::string& method,
                        const objects::Arguments& arguments, Duration timeout, Done done) {
  const std::uint64_t id = ++last_id_;
  const bool is_posted = link_->reactor.post([this, id, service, timeout, done,
                                              text = write_rpc_request(id, method,
                                                                       arguments)]() mutable {
    send(id, {service, link_->context.clock->now() + timeout, std::move(done)}, std::move(text));
  });
  if (!is_posted) done(hector::fail(closed()));
}

void RocClient::send(std::uint64_t id, Pending pending, std::string text) {
  if (is_closed_) return pending.done(hector::fail(closed()));
  HECTOR_CHECK(socket_ != nullptr, "a ROC client calls before it is open");
  if (pending_.size() >= kPendingMax)
    return pending.done(hector::fail(Error::resource_exhausted(
        fmt::format("{} calls wait for answers of ROC objects, the limit", kPendingMax))));
  const std::string service = pending.service;
  const bool is_new = pending_.emplace(id, std::move(pending)).second;
  HECTOR_CHECK(is_new, "a request's number is used twice");
  Reactor::send(*socket_, write_mdp({1, Side::kClient, Command::kRequest, service, {}, {text}},
                                    Sender::kPeer));
}

void RocClient::ask_broker(const std::string& question, const std::string& argument) {
  HECTOR_CHECK(socket_ != nullptr, "a ROC client asks before it is open");
  Reactor::send(*socket_, write_mdp({1, Side::kClient, Command::kRequest, question, {}, {argument}},
                                    Sender::kPeer));
}

void RocClient::receive(const Frames& frames) {
  const auto message = read_at_client(frames);
  if (!message || message->body.empty()) return;
  if (message->service.starts_with("mmi.")) return on_management_(*message);
  auto answer = read_rpc_answer(message->body.front());
  if (!answer) return;
  const auto found = pending_.find(answer->id);
  if (found == pending_.end() || found->second.service != message->service) return;
  const Done done = std::move(found->second.done);
  pending_.erase(found);
  done(std::move(answer->result));
}

void RocClient::expire() {
  const TimePoint now = link_->context.clock->now();
  fail_where([&](const Pending& each) { return each.until <= now; },
             [](const Pending& each) {
               return Error::deadline_exceeded(
                   fmt::format("the ROC object '{}' did not answer in time", each.service));
             });
}

void RocClient::fail_service(const std::string& service) {
  fail_where([&](const Pending& each) { return each.service == service; },
             [](const Pending& each) {
               return Error::unavailable(fmt::format("the ROC object '{}' has left", each.service));
             });
}

void RocClient::close() {
  is_closed_ = true;
  fail_where([](const Pending&) { return true; }, [](const Pending&) { return closed(); });
}

void RocClient::fail_where(const std::function<bool(const Pending&)>& matches,
                           const std::function<Error(const Pending&)>& why) {
  std::vector<Pending> failed;
  for (auto each = pending_.begin(); each != pending_.end();) {
    if (!matches(each->second)) {
      ++each;
      continue;
    }
    failed.push_back(std::move(each->second));
    each = pending_.erase(each);
  }
  for (const auto& each : failed) each.done(hector::fail(why(each)));
}

void RocClient::describe(const std::string& service, Done done) {
  request(service, "rpc.describe", {}, kDescribeTimeout, std::move(done));
}

Result<Value> RocClient::describe(const std::string& service) {
  // Shared with the request, which may be answered after this has given up.
  const auto said = std::make_shared<std::promise<Result<Value>>>();
  describe(service, [said](Result<Value> answer) { said->set_value(std::move(answer)); });
  auto answer = said->get_future();
  if (answer.wait_for(2 * kDescribeTimeout) != std::future_status::ready)
    return fail(Error::unavailable(
        fmt::format("the ROC object '{}' has not described itself in time", service)));
  return answer.get();
}

}  // namespace hector::zeromq
