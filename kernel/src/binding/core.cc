#include "binding/core.h"

#include <cstring>

namespace hector {

void Workers::run(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (idle_ == 0 && threads_.size() < kThreadsMax) threads_.emplace_back([this] { work(); });
  changed_.notify_one();
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (auto& thread : threads_) {
    if (thread.joinable() && thread.get_id() != std::this_thread::get_id()) thread.join();
  }
}

namespace {

/// Trace and span ids need to be different, not secret.
std::uint64_t quick_random(Random& seed) noexcept {
  thread_local std::uint64_t state = 0;
  if (state == 0) state = seed.next() | 1;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

}  // namespace

void inherit(Call& call, const Core& core) {
  const Frame* frame = this_thread_state().frames;
  const Call* outer = frame == nullptr ? nullptr : frame->call;
  Header& header = call.header;
  if (outer != nullptr && outer->header.deadline < header.deadline) header.deadline = outer->header.deadline;
  if (header.deadline == kNever && call.kind != Kind::kStream) {
    header.deadline = core.options.clock->now() + core.options.default_deadline;
  }
  if (!header.trace.is_set()) {
    if (outer != nullptr && outer->header.trace.is_set()) {
      header.trace = outer->header.trace;
    } else {
      for (int half = 0; half < 2; ++half) {
        const std::uint64_t value = quick_random(*core.options.random);
        std::memcpy(header.trace.trace_id.data() + 8 * half, &value, 8);
      }
      header.trace.flags = 0;
    }
    const std::uint64_t span = quick_random(*core.options.random);
    std::memcpy(header.trace.span_id.data(), &span, 8);
  }
}

}  // namespace hector
