#include "hector/multicast.h"

#include <fmt/format.h>

#include <functional>
#include <mutex>

#include "hector/check.h"

namespace hector {

namespace {

/// How many answers make it complete.
std::size_t needed(Reliability reliability, std::size_t members) {
  switch (reliability) {
    case Reliability::kBestEffort:
      return 0;
    case Reliability::kAtLeastOne:
      return std::min<std::size_t>(1, members);
    case Reliability::kMajority:
      return members == 0 ? 0 : members / 2 + 1;
    case Reliability::kAll:
      return members;
  }
  HECTOR_CHECK(false, "a reliability that there is not");
}

/// What the calls of one multicast share; whoever makes it complete tells.
class Group {
 public:
  Group(std::size_t members, std::size_t needed, Callback<void(MulticastOutcome)> done,
        std::function<void(Callback<void(MulticastOutcome)>)> again)
      : needed_(needed), left_(members), done_(std::move(done)), again_(std::move(again)) {
    outcome_.members.resize(members);
  }

  void ended(std::size_t member, Call& call) {
    std::unique_lock lock(mutex_);
    HECTOR_CHECK(left_ > 0, "more calls of a multicast ended than it has members");
    --left_;
    if (call.error &&
        call.error->type == kMembersChanged) {  // then all of them say so, and nothing was sent
      if (left_ != 0) return;
      auto done =
          is_over_ ? Callback<void(MulticastOutcome)>([](MulticastOutcome) {}) : std::move(done_);
      is_over_ = true;
      const auto again = std::move(again_);
      lock.unlock();
      return again(std::move(done));
    }
    if (is_over_) return;
    HECTOR_CHECK(member < outcome_.members.size(), "a multicast has an answer of no member");
    MemberResult& result = outcome_.members[member];
    HECTOR_CHECK(!result.is_known, "a member of a multicast answers twice");
    result.is_known = true;
    if (call.error) {
      result.error = std::move(call.error);
    } else {
      result.reply = call.reply.bytes();
      ++ok_;
    }
    tell_if_over(lock);
  }
  /// All are on their way.
  void sent() {
    std::unique_lock lock(mutex_);
    HECTOR_CHECK(!is_sent_, "a multicast is sent twice");
    is_sent_ = true;
    if (!is_over_) tell_if_over(lock);
  }

 private:
  void tell_if_over(std::unique_lock<std::mutex>& lock) {
    if (!is_sent_ || (ok_ < needed_ && left_ != 0)) return;
    HECTOR_CHECK(!is_over_, "a multicast's outcome is told twice");
    is_over_ = true;
    if (ok_ < needed_) outcome_.error = too_few();
    auto done = std::move(done_);
    auto outcome = std::move(outcome_);
    lock.unlock();
    done(std::move(outcome));
  }
  Error too_few() const {
    Error error{Code::kAborted, fmt::format("a multicast needs {} good answers and got {} of {}",
                                            needed_, ok_, outcome_.members.size())};
    bool is_first = true;
    for (std::size_t m = 0; m < outcome_.members.size(); ++m) {
      const auto& failed = outcome_.members[m].error;
      if (!failed) continue;
      if (std::exchange(is_first, false)) error.code = failed->code;
      error.reasons.push_back(
          fmt::format("member {}: {}: {}", m, code_name(failed->code), failed->message));
    }
    return error;
  }

  std::mutex mutex_;
  const std::size_t needed_;
  std::size_t left_;
  std::size_t ok_ = 0;
  bool is_sent_ = false;
  bool is_over_ = false;
  Callback<void(MulticastOutcome)> done_;
  std::function<void(Callback<void(MulticastOutcome)>)> again_;
  MulticastOutcome outcome_;
};

}  // namespace

void multicast(Session& session, std::uint32_t interaction, const Bytes& request, Deadline deadline,
               Callback<void(MulticastOutcome)> done) {
  const std::size_t members = session.receivers(interaction);
  const auto again = [kept = session.shared(), interaction, request,
                      deadline](Callback<void(MulticastOutcome)> then) {
    multicast(*kept, interaction, request, deadline, std::move(then));
  };
  auto group = std::make_shared<Group>(members, needed(session.reliability(interaction), members),
                                       std::move(done), again);
  std::vector<Call*> calls;
  for (std::size_t m = 0; m < members; ++m) {
    auto& call = CallbackCall::make([group, m](Call& ended) { group->ended(m, ended); });
    call.request = Payload(request);
    call.header.deadline = deadline;
    calls.push_back(&call);
  }
  session.start_all(interaction, calls);
  group->sent();
}

}  // namespace hector
