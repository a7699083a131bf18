// What: Gather, one result out of many answers: it runs a function after the last one came.
// Why: whoever asks several partners at once waits for all of them; the counting and its lock are
// written once.
// Who: the coordinator, the pipeline, services that ask other systems.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "hector/check.h"

namespace hector {

/// Fan-in. `All` is what the answers are collected in:
///   auto all = Gather<std::vector<Reply>>::make({}, [](std::vector<Reply> replies) { … });
///   for (auto& partner : partners) {
///     all->expect();
///     ask(partner, [all](Reply reply) { all->answer([&](auto& to) { to.push_back(reply); }); });
///   }
///   all->asked_all();
/// Any thread. `done` runs once, on the thread of the last answer or of asked_all(), without a
/// lock; where nothing was asked, in asked_all().
template <class All>
class Gather {
 public:
  using Done = std::function<void(All)>;
  /// Two owners: the asker and each outstanding answer.
  static std::shared_ptr<Gather> make(All all, Done done) {
    return std::shared_ptr<Gather>(new Gather(std::move(all), std::move(done)));
  }
  /// One more answer will come. Before asked_all().
  void expect() {
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(left_ != 0, "an answer is expected after all were asked and answered");
    ++left_;
  }
  /// One answer came: `note(All&)` runs under the lock.
  template <class Note>
  void answer(Note&& note) {
    std::unique_lock lock(mutex_);
    note(all_);
    one_less(std::move(lock));
  }
  /// One answer came that brings nothing.
  void answer() { one_less(std::unique_lock(mutex_)); }
  /// No more will be expected.
  void asked_all() { one_less(std::unique_lock(mutex_)); }

 private:
  Gather(All all, Done done) : all_(std::move(all)), done_(std::move(done)) {}
  void one_less(std::unique_lock<std::mutex> lock) {
    HECTOR_CHECK(left_ != 0, "more answers came than were expected");
    if (--left_ != 0) return;
    auto done = std::move(done_);
    All all = std::move(all_);
    lock.unlock();
    done(std::move(all));
  }

  std::mutex mutex_;
  std::size_t left_ = 1;  ///< answers to come, and one for asked_all()
  All all_;
  Done done_;
};

}  // namespace hector
