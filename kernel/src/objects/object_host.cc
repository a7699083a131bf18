#include "objects/object_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/epoch.h"
#include "call/call_state.h"
#include "call/thread_activity.h"
#include "hector/check.h"
#include "hector/kernel.h"

namespace hector {

namespace {

const Operation kNotice{};  ///< of what is handed to an Object's thread and is no call

/// The link of the queue that holds the call.
Call*& next_of(Call& call) { return CallState::of(call).next; }

/// An action on the servant that queues like a call.
class Notice final : public Call {
 public:
  explicit Notice(Callback<void(Servant&)> action) : action_(std::move(action)) {
    operation = &kNotice;
  }
  void run(Servant& servant) { action_(servant); }

 private:
  void finished() noexcept override { delete this; }
  Callback<void(Servant&)> action_;
};

Error retired_error(const std::string& name) {
  return {Code::kUnavailable,
          fmt::format("Object '{}' is retired; ask Naming for its successor", name),
          std::string(kNotExecuted),
          {},
          {}};
}

}  // namespace

ObjectHost::ObjectHost(HostOptions options)
    : options_(std::move(options)),
      in_flight_(options_.parallel ? InFlight::Entry::kParallel : InFlight::Entry::kSerial) {}

ObjectHost::~ObjectHost() {
  if (private_) {
    private_->stopping = true;
    private_->parker.load()->wake();
    private_->thread.join();
  }
  delete queue_.load();
}

ObjectHost::Queue& ObjectHost::queue() {
  if (Queue* const there = queue_.load(std::memory_order_acquire)) return *there;
  auto made = std::make_unique<Queue>();
  Queue* there = nullptr;
  if (queue_.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel))
    return *made.release();
  return *there;
}

void ObjectHost::set_servant(std::unique_ptr<Servant> servant) {
  HECTOR_CHECK(servant_ == nullptr && servant != nullptr, "an Object gets exactly one servant");
  servant_ = std::move(servant);
  if (options_.thread == ThreadModel::kPrivate && !options_.parallel) {
    std::atomic<bool> is_up{false};
    private_ = std::make_unique<Private>();
    try {
      private_->thread = Thread("object", [this, &is_up] {
        private_->parker.store(&Parker::mine());
        activity_here().belongs_to(this);
        is_up.store(true);
        is_up.notify_one();
        run_thread();
      });
    } catch (const std::system_error&) {  // there is no thread to have: as if it never was
      private_.reset();
      servant_.reset();
      throw;
    }
    is_up.wait(false);
  }
}

bool ObjectHost::may_run_here() const noexcept {
  if (options_.thread == ThreadModel::kPrivate && !this_thread_may_block) return false;
  const Frame* const frame = frames_of_this_thread;
  return frame == nullptr || frame->depth < kDepthMax;
}

bool ObjectHost::is_free_here() const noexcept {
  return !retired_.load(std::memory_order_relaxed) && may_run_here() &&
         (options_.parallel || word_.load(std::memory_order_relaxed) == kIdle);
}

bool ObjectHost::try_take() noexcept {
  std::uintptr_t idle = kIdle;
  return word_.compare_exchange_strong(idle, kBusy, std::memory_order_seq_cst,
                                       std::memory_order_relaxed);
}

void ObjectHost::enter(Call& call) noexcept {
  if (retired_.load(std::memory_order_acquire) && call.operation != &kNotice) {
    call.fail(retired_error(options_.name));
    return;
  }
  if (options_.parallel) {
    invoke(call);
    return;
  }
  // An Object that may block is entered here only where this thread waits for it anyway, and has
  // nothing to write into a flow meanwhile.
  const bool may_enter =
      options_.thread == ThreadModel::kPooled || (call.is_waited() && call.kind != Kind::kStream);
  if (may_enter && may_run_here() && try_take()) {
    invoke(call);
    leave();
    return;
  }
  if (is_overdue() && call.operation != &kNotice) [[unlikely]] {
    if (auto refused = why_overdue()) return call.fail(std::move(*refused));
  }
  Call& queued = call.defer();
  if (queued_.fetch_add(1, std::memory_order_relaxed) >= options_.queue_max &&
      queued.operation != &kNotice) {
    queued_.fetch_sub(1, std::memory_order_relaxed);
    queued.fail(
        {Code::kResourceExhausted, fmt::format("Object '{}' has {} calls waiting, its limit",
                                               options_.name, options_.queue_max)});
    return;
  }
  push(queued);
}

void ObjectHost::notify(Callback<void(Servant&)> action) { enter(*new Notice(std::move(action))); }

void ObjectHost::call_who_may() noexcept {
  if (private_) {
    private_->parker.load()->wake();
  } else {
    options_.executor->post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->serve();
    });
  }
}

/// Onto the word if a thread is inside (it runs the call when it leaves), else onto `pending_`, for
/// the thread that may enter.
void ObjectHost::push(Call& call) noexcept {
  std::uintptr_t word = word_.load(std::memory_order_acquire);
  for (;;) {
    if (word == kIdle) {
      if (word_.compare_exchange_weak(word, kBusy, std::memory_order_acq_rel)) {
        Call* head = pending_.load(std::memory_order_relaxed);
        do {
          next_of(call) = head;
        } while (!pending_.compare_exchange_weak(head, &call, std::memory_order_acq_rel));
        // This thread shall not run it: give the word back, then wake who does.
        leave(Draining::kOthers);
        call_who_may();
        return;
      }
      continue;
    }
    next_of(call) = word == kBusy ? nullptr : reinterpret_cast<Call*>(word);
    if (word_.compare_exchange_weak(word, reinterpret_cast<std::uintptr_t>(&call),
                                    std::memory_order_acq_rel))
      break;
  }
  if (Parker* parker = waiting_.load(std::memory_order_seq_cst)) parker->wake();
}

void ObjectHost::drop_servant() noexcept {
  // A call that comes late is counted for the moment in which it is refused.
  HECTOR_CHECK(is_empty_for_good_ || in_flight_.is_zero(),
               "a servant is dropped while its Object handles a call");
  servant_.reset();
}

void ObjectHost::invoke(Call& call) noexcept {
  EpochGuard::leave_all();
  ThreadActivity& activity = activity_here();
  Frame* const outer = frames_of_this_thread;
  const std::uint32_t depth = outer == nullptr ? 0 : outer->depth;
  if (depth < ThreadActivity::kLevels) [[likely]]
    return invoke(call, activity.frame(depth));
  Frame deep;
  deep.outer = outer;
  deep.depth = depth + 1;
  invoke(call, deep);
}

void ObjectHost::invoke(Call& call, Frame& frame) noexcept {
  frame.object.store(this, std::memory_order_relaxed);
  frame.call = &call;
  frame.in_flight = &in_flight_;
  frame.has_ended = false;
  frame.operation.store(call.operation, std::memory_order_relaxed);
  frame.deadline.store(call.header.deadline.time_since_epoch().count(), std::memory_order_relaxed);
  frame.number.store(frame.number.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  const std::atomic_ref<Frame*> innermost(frames_of_this_thread);
  innermost.store(&frame, std::memory_order_release);
  // From started() on retire() waits for this thread; it may have begun before.
  if (call.operation == &kNotice) [[unlikely]] {
    in_flight_.notice_started(frame);
    if (servant_ != nullptr) static_cast<Notice&>(call).run(*servant_);
    call.complete();
  } else {
    in_flight_.started();
    CallState::of(call).in_flight = &in_flight_;
    if (retired_.load(std::memory_order_seq_cst)) [[unlikely]] {
      call.fail(retired_error(options_.name));
    } else {
      HECTOR_CHECK(servant_ != nullptr, "a call enters an Object without a servant");
      servant_->invoke(call);
    }
  }
  HECTOR_CHECK(frames_of_this_thread == &frame,
               "a thread leaves an Object that it is not the innermost of");
  innermost.store(frame.outer, std::memory_order_release);
  in_flight_.left(frame);
}

std::size_t ObjectHost::collect(Queue& queue) noexcept {
  // What is on its way from one to the other is pending all the while: who leaves must see it.
  const std::size_t before = queue.taken_count.fetch_add(1, std::memory_order_seq_cst);
  // From a list to "busy" only: who is inside may leave meanwhile, and idle stays idle.
  std::uintptr_t word = word_.load(std::memory_order_acquire);
  while (word != kIdle && word != kBusy &&
         !word_.compare_exchange_weak(word, kBusy, std::memory_order_acq_rel)) {
  }
  Call* const newest = word != kIdle && word != kBusy ? reinterpret_cast<Call*>(word) : nullptr;
  Call* const earlier = pending_.exchange(nullptr, std::memory_order_acq_rel);
  std::size_t count = before;
  for (Call* list : {earlier, newest}) {  // each is newest first
    Call* first = nullptr;
    Call* const last = list;
    while (list != nullptr) {
      Call* const next = next_of(*list);
      next_of(*list) = first;
      first = list;
      list = next;
      ++count;
    }
    if (first == nullptr) continue;
    (queue.taken_last == nullptr ? queue.taken : next_of(*queue.taken_last)) = first;
    queue.taken_last = last;
  }
  queue.taken_count.store(count, std::memory_order_release);
  return count;
}

Call* ObjectHost::next_taken(Queue& queue) noexcept {
  const std::lock_guard lock(queue.taken_mutex);
  Call* const first = queue.taken;
  if (first == nullptr) return nullptr;
  queue.taken = next_of(*first);
  if (queue.taken == nullptr) queue.taken_last = nullptr;
  const auto taken = queue.taken_count.fetch_sub(1, std::memory_order_relaxed);
  HECTOR_CHECK(taken != 0, "an Object's queue hands out more calls than it took");
  const auto queued = queued_.fetch_sub(1, std::memory_order_relaxed);
  HECTOR_CHECK(queued != 0, "an Object's queue holds more calls than were counted");
  return first;
}

/// Runs what was queued while a thread was inside; false if there was nothing. The caller is
/// inside.
bool ObjectHost::drain_once() noexcept {
  HECTOR_CHECK(word_.load(std::memory_order_relaxed) != kIdle,
               "an Object's queue is run by a thread that is not inside");
  if (word_.load(std::memory_order_acquire) == kBusy && !has_pending()) return false;
  Queue& queue = this->queue();
  std::size_t count = 0;
  {
    const std::lock_guard lock(queue.taken_mutex);
    count = collect(queue);
  }
  bool found = false;
  for (; count != 0; --count) {  // what comes meanwhile is the next turn's
    Call* const call = next_taken(queue);
    if (call == nullptr) break;
    found = true;
    if (call->operation == &kNotice) {
      invoke(*call);
    } else if (retired_.load(std::memory_order_acquire)) {
      call->fail(retired_error(options_.name));
    } else if (call->is_cancelled()) {
      call->fail(call->why_cancelled());
    } else {
      invoke(*call);
    }
  }
  return found;
}

void ObjectHost::expire_queued(TimePoint now, const std::string& why) noexcept {
  if (options_.parallel || queued() == 0) return;
  Queue& queue = this->queue();
  const bool is_overdue = queue.is_overdue.load(std::memory_order_relaxed);
  Call* ended = nullptr;
  {
    const std::lock_guard lock(queue.taken_mutex);
    collect(queue);
    Call* list = std::exchange(queue.taken, nullptr);
    queue.taken_last = nullptr;
    while (list != nullptr) {
      Call* const call = std::exchange(list, next_of(*list));
      const Deadline until = call->header.deadline;
      const bool has_ended = call->is_cancelled() || (until == kNever ? is_overdue : until <= now);
      if (has_ended && call->operation != &kNotice) {
        next_of(*call) = std::exchange(ended, call);
        queue.taken_count.fetch_sub(1, std::memory_order_relaxed);
        const auto queued = queued_.fetch_sub(1, std::memory_order_relaxed);
        HECTOR_CHECK(queued != 0, "more calls are ended in a queue than were counted");
        continue;
      }
      next_of(*call) = nullptr;
      (queue.taken_last == nullptr ? queue.taken : next_of(*queue.taken_last)) = call;
      queue.taken_last = call;
    }
  }
  while (ended != nullptr) {
    Call* const call = std::exchange(ended, next_of(*ended));
    if (call->is_cancelled()) {
      call->fail(call->why_cancelled());
    } else if (call->header.deadline == kNever) {
      call->fail(Error::resource_exhausted(why));
    } else {
      call->fail(Error::deadline_exceeded("the call waited until its deadline: " + why));
    }
  }
  // Who was inside may have left before it saw what was taken here.
  if (word_.load(std::memory_order_seq_cst) == kIdle && has_pending()) call_who_may();
}

void ObjectHost::set_overdue(std::string text, std::uint64_t calls) {
  if (text.empty() && queue_.load(std::memory_order_acquire) == nullptr) return;
  Queue& queue = this->queue();
  const std::lock_guard lock(queue.overdue_mutex);
  queue.is_overdue.store(!text.empty(), std::memory_order_relaxed);
  queue.overdue = std::move(text);
  queue.overdue_calls = calls;
}

std::optional<Error> ObjectHost::why_overdue() {
  Queue& queue = this->queue();
  const std::lock_guard lock(queue.overdue_mutex);
  if (queue.overdue.empty() || queue.overdue_calls != calls()) return std::nullopt;
  return Error::resource_exhausted(queue.overdue);
}

void ObjectHost::leave(Draining draining) noexcept {
  const bool may_run = draining == Draining::kHere && may_run_here();
  for (;;) {
    std::uintptr_t busy = kBusy;
    if ((!may_run || !has_pending()) &&
        word_.compare_exchange_strong(busy, kIdle, std::memory_order_acq_rel)) {
      return;
    }
    HECTOR_CHECK(busy != kIdle, "an Object is left by a thread that is not inside");
    if (may_run) {
      drain_once();
      continue;
    }
    // Calls were queued while this thread, which may not run them, held the word: they are handed
    // to the thread that may.
    Call* newest = reinterpret_cast<Call*>(word_.exchange(kBusy, std::memory_order_acq_rel));
    if (reinterpret_cast<std::uintptr_t>(newest) == kBusy) continue;
    Call* oldest_of_newest = newest;
    while (next_of(*oldest_of_newest) != nullptr) oldest_of_newest = next_of(*oldest_of_newest);
    Call* head = pending_.load(std::memory_order_relaxed);
    do {
      next_of(*oldest_of_newest) = head;
    } while (!pending_.compare_exchange_weak(head, newest, std::memory_order_acq_rel));
  }
}

bool ObjectHost::serve() noexcept {
  if (options_.parallel) return false;  // it has no queue: each call entered it at once
  const Frame* frame = frames_of_this_thread;
  for (const Frame* each = frame; each != nullptr; each = each->outer) {
    if (each->object == this) return drain_once();  // inside already: a nested turn
  }
  if (!has_pending() || !may_run_here() || !try_take()) return false;
  const bool found = drain_once();
  leave();
  return found;
}

void ObjectHost::run_thread() noexcept {
  Parker& parker = Parker::mine();
  while (!private_->stopping.load(std::memory_order_acquire)) {
    const std::uint32_t ticket = parker.ticket();
    if (serve()) continue;
    if (private_->stopping.load(std::memory_order_acquire)) break;
    // Where a thread is inside, it drains the queue before it leaves, or wakes this one.
    if (has_pending() && word_.load(std::memory_order_acquire) == kIdle) {
      std::this_thread::yield();
      continue;
    }
    parker.park(ticket, kNever, nullptr);
  }
}

bool ObjectHost::is_empty() const noexcept {
  if (!in_flight_.is_zero()) return false;
  return options_.parallel || (word_.load() == kIdle && !has_pending());
}

bool ObjectHost::is_at_rest() noexcept {
  if (options_.parallel) return in_flight_.is_zero();
  if (!try_take()) return false;
  const bool is_over = in_flight_.is_zero() && !has_pending();
  leave(Draining::kOthers);
  if (has_pending()) call_who_may();  // they came while this thread looked
  return is_over;
}

bool ObjectHost::retire(TimePoint until, const Clock& clock) noexcept {
  retired_.store(true, std::memory_order_seq_cst);
  if (private_) private_->parker.load()->wake();
  while (!is_empty()) {
    if (clock.now() >= until) return false;
    serve();
    std::this_thread::yield();
  }
  is_empty_for_good_ = true;
  return true;
}

bool fail_call_of_this_thread(Error reason) noexcept {
  Frame* const frame = frames_of_this_thread;
  if (frame == nullptr || frame->call == nullptr) return false;
  frame->call->fail(std::move(reason));
  return true;
}

std::size_t describe_this_thread(char* text, std::size_t size) noexcept {
  std::size_t used = 0;
  const auto add = [&](std::string_view part) {
    const std::size_t taken = std::min(part.size(), size - used);
    std::memcpy(text + used, part.data(), taken);
    used += taken;
  };
  const Frame* const frame = frames_of_this_thread;
  if (frame == nullptr) {
    add("outside of every Object");
    return used;
  }
  // Only hosts make frames.
  const auto& options = static_cast<const ObjectHost*>(frame->object.load())->options();
  add("in Object '");
  add(options.name);
  add("' (");
  add(options.template_name);
  add(")");
  if (frame->call == nullptr || frame->call->operation == nullptr) return used;
  add(", operation '");
  add(frame->call->operation->name);
  add("'");
  return used;
}

}  // namespace hector
