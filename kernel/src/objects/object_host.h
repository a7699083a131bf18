// What: ObjectHost, one Object in its capsule: its servant, its queue, its thread.
// Why: an idle serial Object is entered on the caller's own thread, a busy one queues; who leaves
// drains.
// Who: offers and channels enter calls; the kernel creates and retires hosts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "call/frame.h"
#include "call/in_flight.h"
#include "hector/language.h"
#include "hector/thread.h"

namespace hector {

struct HostOptions {
  /// Calls that wait for one Object; above it they are refused.
  static constexpr std::uint32_t kQueueMax = 65'536;
  std::string name = {};
  std::string template_name = {};
  ThreadModel thread = ThreadModel::kPooled;
  bool parallel = false;
  std::uint32_t queue_max = kQueueMax;  ///< calls that wait; RESOURCE_EXHAUSTED beyond
  Executor* executor = nullptr;
};

/// Owned by shared pointers: a task that is on its way to it must not outlive it. The dispatcher is
/// one word: 0 idle, 1 busy, else busy with the address of the newest queued call. Any thread.
class ObjectHost final : public Served, public std::enable_shared_from_this<ObjectHost> {
 public:
  explicit ObjectHost(HostOptions options);
  ~ObjectHost() override;

  /// Before anything enters.
  void set_servant(std::unique_ptr<Servant> servant);
  /// Takes the call; RESOURCE_EXHAUSTED if the queue is full, UNAVAILABLE (retired) after retire().
  void enter(Call& call) noexcept;
  /// Runs an action on the servant as if it were a call.
  void notify(Callback<void(Servant&)> action);
  /// Whether enter() would run a call on this very thread now; a hint.
  [[nodiscard]] bool is_free_here() const noexcept;
  /// Whether no call is in flight or queued, at this moment.
  [[nodiscard]] bool is_at_rest() noexcept;
  /// Accepts no new call, and waits until the deadline for those in flight; queued calls fail.
  /// True: none is left.
  bool retire(TimePoint until, const Clock& clock) noexcept;
  /// Ends queued calls: those whose deadline has passed or that were cancelled, and, where one is
  /// overdue, those without a deadline. `why` says what they waited for.
  void expire_queued(TimePoint now, const std::string& why) noexcept;
  /// A call inside has run past its caller's deadline: calls that would queue behind it are refused
  /// with RESOURCE_EXHAUSTED and this text, until another call has entered. `calls`: how many had
  /// entered while it ran. Empty: none is overdue.
  void set_overdue(std::string text, std::uint64_t calls);
  /// Destroys the servant; only while no call is in flight: after retire() was true, or before the
  /// first call.
  void drop_servant() noexcept;

  [[nodiscard]] const HostOptions& options() const noexcept { return options_; }
  /// As frames have its address.
  [[nodiscard]] const void* seen_as() const noexcept { return static_cast<const Served*>(this); }
  /// How many calls were ever entered.
  [[nodiscard]] std::uint64_t calls() const noexcept { return in_flight_.total(); }
  /// How many were entered and have not been answered.
  [[nodiscard]] std::uint32_t unanswered() const noexcept { return in_flight_.outstanding(); }
  /// How many wait in its queue.
  [[nodiscard]] std::uint32_t queued() const noexcept {
    return queued_.load(std::memory_order_relaxed);
  }

  bool serve() noexcept override;
  void wake_also(Parker* parker) noexcept override {
    waiting_.store(parker, std::memory_order_seq_cst);
  }

 private:
  static constexpr std::uintptr_t kIdle = 0;
  static constexpr std::uintptr_t kBusy = 1;
  static constexpr std::uint32_t kDepthMax = 48;  ///< calls within calls on one stack

  /// What an Object has that had to queue a call: most Objects never do, and there are many.
  struct Queue {
    /// What was taken out of both queues and has not run yet, oldest first.
    std::mutex taken_mutex;
    Call* taken = nullptr;
    Call* taken_last = nullptr;
    std::atomic<std::size_t> taken_count{0};
    std::atomic<bool> is_overdue{false};
    std::mutex overdue_mutex;
    std::string overdue;
    std::uint64_t overdue_calls = 0;  ///< had entered then: another one means that it has left
  };

  bool try_take() noexcept;
  void invoke(Call& call) noexcept;
  void invoke(Call& call, Frame& frame) noexcept;
  void push(Call& call) noexcept;
  /// Whoever may run what is pending: the Object's thread, or the executor.
  void call_who_may() noexcept;
  /// Whether who leaves runs what was queued meanwhile, or leaves it to the Object's thread.
  enum class Draining { kHere, kOthers };
  void leave(Draining draining = Draining::kHere) noexcept;
  bool drain_once() noexcept;
  /// Moves what was queued to the queue's `taken`, in order; with its lock held. How many are there
  /// now.
  std::size_t collect(Queue& queue) noexcept;
  [[nodiscard]] Call* next_taken(Queue& queue) noexcept;
  [[nodiscard]] bool has_pending() const noexcept {
    if (pending_.load(std::memory_order_acquire) != nullptr) return true;
    const Queue* const queue = queue_.load(std::memory_order_acquire);
    return queue != nullptr && queue->taken_count.load(std::memory_order_acquire) != 0;
  }
  [[nodiscard]] bool is_overdue() const noexcept {
    const Queue* const queue = queue_.load(std::memory_order_acquire);
    return queue != nullptr && queue->is_overdue.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::optional<Error> why_overdue();
  bool may_run_here() const noexcept;
  void run_thread() noexcept;
  /// No call is in flight or queued, and no thread is inside.
  [[nodiscard]] bool is_empty() const noexcept;

  HostOptions options_;
  std::unique_ptr<Servant> servant_;
  std::atomic<std::uintptr_t> word_{kIdle};
  std::atomic<bool> retired_{false};
  bool is_empty_for_good_ = false;  ///< retire() has returned true
  std::atomic<std::uint32_t> queued_{0};
  InFlight in_flight_;
  std::atomic<Parker*> waiting_{nullptr};
  std::atomic<Call*> pending_{nullptr};  ///< a private Object's calls while nobody is inside
  /// Made when it is wanted first.
  Queue& queue();
  std::atomic<Queue*> queue_{nullptr};  ///< owned
  /// A private serial Object's own thread.
  struct Private {
    std::atomic<Parker*> parker{nullptr};
    std::atomic<bool> stopping{false};
    Thread thread;
  };
  std::unique_ptr<Private> private_;
};

}  // namespace hector
