#include "binding/core.h"

#include <cstring>

#include "binding/coordinator.h"
#include "binding/target.h"
#include "hector/typed.h"

namespace hector {

namespace {
thread_local bool is_worker = false;
}

bool Workers::is_here() noexcept { return is_worker; }

void Workers::run(std::function<void()> task) {
  if (executor_ != nullptr) {
    return executor_->post([task = std::move(task), is_open = is_open_] {
      if (!*is_open) return;
      const bool before = std::exchange(is_worker, true);
      task();
      is_worker = before;
    });
  }
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (idle_ == 0 && threads_.size() < kThreadsMax) threads_.emplace_back([this] { work(); });
  changed_.notify_one();
}

void Workers::work() {
  is_worker = true;
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
  *is_open_ = false;
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

/// Trace and span ids need to be different, not secret (splitmix64).
std::uint64_t next_id(const Core& core) noexcept {
  std::uint64_t mixed = core.ids.fetch_add(0x9e3779b97f4a7c15ULL, std::memory_order_relaxed);
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
  return mixed ^ mixed >> 31;
}

}  // namespace

void Core::tell_binder(const Reference& binder, const kernel::v1::Place& place) {
  if (binder.capsule_id == capsule_id) {
    if (on_suspicion) on_suspicion(place);
    return;
  }
  workers.run([this, binder, place] {  // making a target may block
    auto target = coordinator_of(*this, binder);
    if (!target) return;
    auto& call = CallbackCall::make([keep = *target](Call&) {});
    call.header.operation_name = coordinator_operation_name(CoordinatorOperation::kSuspect);
    call.header.deadline = options.clock->now() + std::chrono::seconds(1);
    call.request = write_message(place);
    (*target)->start(call);
  });
}

void inherit(Call& call, const Core& core) {
  const Frame* frame = this_thread_state().frames;
  const Call* outer = frame == nullptr ? nullptr : frame->call;
  Header& header = call.header;
  if (outer != nullptr && outer->header.deadline < header.deadline)
    header.deadline = outer->header.deadline;
  if (header.deadline == kNever && call.kind != Kind::kStream) {
    header.deadline = core.options.clock->now() + core.options.default_deadline;
  }
  if (!header.trace.is_set()) {
    if (outer != nullptr && outer->header.trace.is_set()) {
      header.trace = outer->header.trace;
    } else {
      for (int half = 0; half < 2; ++half) {
        const std::uint64_t value = next_id(core);
        std::memcpy(header.trace.trace_id.data() + 8 * half, &value, 8);
      }
      header.trace.flags = 0;
    }
    const std::uint64_t span = next_id(core);
    std::memcpy(header.trace.span_id.data(), &span, 8);
  }
}

}  // namespace hector
