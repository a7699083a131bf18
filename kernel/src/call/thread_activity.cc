// What: the list of all threads that have entered an Object.
// Why: see thread_activity.h. A list of the process: threads are, and one thread may enter Objects
// of several kernels.
// Who: object hosts, waited calls, observers.
#include "call/thread_activity.h"

#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "hector/check.h"

namespace hector {

[[gnu::tls_model("initial-exec")]] constinit thread_local ThreadActivity* activity_of_this_thread =
    nullptr;

namespace {

struct Known {
  std::mutex mutex;
  std::vector<ThreadActivity*> all;
  std::vector<ThreadActivity*> spare;  ///< of threads that have ended
  std::uint64_t last_id = 0;
};

/// Never destroyed, nor is any activity: a thread may enter an Object while its last thread-local
/// objects end.
Known& known() {
  static Known* const kKnown = new Known();
  return *kKnown;
}

}  // namespace

/// Its thread's, from its first entry to its end.
struct ActivityOfThread {
  ActivityOfThread() {
    Known& threads = known();
    const std::lock_guard lock(threads.mutex);
    if (threads.spare.empty()) {
      activity = new ThreadActivity();
    } else {
      activity = threads.spare.back();
      threads.spare.pop_back();
    }
    activity->innermost_ = &frames_of_this_thread;
    pthread_getcpuclockid(pthread_self(), &activity->clock_);
    activity->id_ = ++threads.last_id;
    threads.all.push_back(activity);
    activity_of_this_thread = activity;
  }
  ~ActivityOfThread() {
    Known& threads = known();
    const std::lock_guard lock(threads.mutex);
    const auto erased = std::erase(threads.all, activity);
    HECTOR_CHECK(erased == 1, "a thread ends that is not in the list of all");
    activity->belongs_to(nullptr);
    threads.spare.push_back(activity);
  }
  ActivityOfThread(const ActivityOfThread&) = delete;
  ActivityOfThread& operator=(const ActivityOfThread&) = delete;
  ThreadActivity* activity;
};

ThreadActivity::ThreadActivity() {
  for (std::uint32_t i = 0; i < kLevels; ++i) {
    frames_[i].outer = i == 0 ? nullptr : &frames_[i - 1];
    frames_[i].depth = i + 1;
  }
}

std::uint32_t ThreadActivity::depth() const noexcept {
  const Frame* const innermost =
      std::atomic_ref<Frame*>(*innermost_).load(std::memory_order_acquire);
  if (innermost == nullptr) return 0;
  const std::less<> before;  // it may be on the thread's stack
  const bool is_here =
      !before(innermost, frames_.data()) && before(innermost, frames_.data() + frames_.size());
  return is_here ? static_cast<std::uint32_t>(innermost - frames_.data()) + 1 : kLevels;
}

ThreadActivity& ThreadActivity::mine() noexcept {
  thread_local ActivityOfThread mine;
  return *mine.activity;
}

Duration ThreadActivity::processor_time() const noexcept {
  timespec used{};
  if (clock_gettime(clock_, &used) != 0) return {};
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

void ThreadActivities::each(
    const std::function<void(std::uint64_t id, const ThreadActivity& activity)>& visit) {
  const std::lock_guard lock(known().mutex);
  for (const ThreadActivity* const each : known().all) visit(each->id_, *each);
}

}  // namespace hector
