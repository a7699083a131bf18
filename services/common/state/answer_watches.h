// What: AnswerWatches, flows that tell how the answer to a question changes.
// Why: a client learns that the value it goes by, or the Offers it would be given, are others now,
// without asking again and again.
// Who: Policy's and Trading's `watch`.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "hector/call.h"
#include "hector/check.h"
#include "state/feed.h"
#include "state/replica.h"

namespace hector::state {

/// Any thread. `Told` is what the watcher knows.
template <class Question, class Told>
class AnswerWatches {
 public:
  /// Compares what was told with the answer as it is, pushes what differs, and notes it in `told`.
  /// An error ends the watch. One watch is told by one thread at a time, in the order of revisions.
  using Tell =
      std::function<Status(const Question& asked, Revision revision, Told& told, Feed& feed)>;
  AnswerWatches(std::size_t max, Tell tell) : max_(max), tell_(std::move(tell)) {}

  /// Takes the call and tells it the answer as it is; RESOURCE_EXHAUSTED if there are `max`
  /// watches.
  void add(Call& given, const Question& asked, Revision revision) {
    auto watch = std::make_shared<Watch>(asked, Feed(given.stream));
    {
      const std::lock_guard lock(mutex_);
      if (all_.size() >= max_)
        return given.fail(
            Error::resource_exhausted(fmt::format("there are {} watches, the limit", max_)));
      all_.push_back(watch);
    }
    Call& call = given.defer();
    {
      const std::lock_guard lock(watch->mutex);
      watch->call = &call;
    }
    call.on_cancel([this, watch] { end(watch, {}); });
    tell(watch, revision);
  }
  void tell_all(Revision revision) {
    std::vector<std::shared_ptr<Watch>> all;
    {
      const std::lock_guard lock(mutex_);
      all = all_;
    }
    for (const auto& each : all) tell(each, revision);
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }

 private:
  /// Owned by the list, and by the callbacks of its call and its feed.
  struct Watch {
    Watch(Question question, Feed to) : asked(std::move(question)), feed(std::move(to)) {}
    const Question asked;
    Feed feed;
    Call* call = nullptr;
    std::mutex mutex;  ///< of call, until it is set, and of told
    Told told{};
    std::atomic<bool> is_over{false};
  };

  void tell(const std::shared_ptr<Watch>& watch, Revision revision) {
    Status told;
    {
      const std::lock_guard lock(watch->mutex);
      // Published before add() has taken the call: add() itself tells what there is.
      if (watch->is_over || watch->call == nullptr) return;
      told = tell_(watch->asked, revision, watch->told, watch->feed);
    }
    if (!told) end(watch, std::move(told.error()));
  }
  void end(const std::shared_ptr<Watch>& watch, std::optional<Error> why) {
    if (watch->is_over.exchange(true)) return;
    {
      const std::lock_guard lock(mutex_);
      const auto erased = std::erase(all_, watch);
      HECTOR_CHECK(erased == 1, "a watch that is not over is in the list once");
    }
    watch->feed.when_told([watch, why = std::move(why)] {
      if (why)
        watch->call->fail(*why);
      else
        watch->call->complete();
    });
  }

  const std::size_t max_;
  const Tell tell_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Watch>> all_;
};

}  // namespace hector::state
