// What: GuardedSelf, how a posted task or a timer reaches an object that may be gone by then.
// Why: an executor cannot take tasks back; a task that runs after its object's end must do nothing,
// and an object must not end while such a task uses it.
// Who: whatever posts tasks about itself: stores, replicas, leases.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "hector/check.h"

namespace hector {

/// Last member of T, or ended first in T's destructor. Any thread.
///   executor.post([self = guard_.handle()] { self.run([](Engine& engine) { engine.tick(); }); });
template <class T>
class GuardedSelf {
  struct State {
    std::shared_mutex mutex;
    T* self;
  };

 public:
  /// What a task holds; copyable. Keeps no T alive.
  class Handle {
   public:
    /// Calls use(T&) and returns true, or returns false where T has ended. T's end waits for `use`,
    /// which therefore may not end it. Several run at once.
    template <class Use>
    bool run(Use&& use) const {
      const std::shared_lock lock(state_->mutex);
      return use_if_there(use);
    }
    /// The same, but no two of these run at once.
    template <class Use>
    bool run_alone(Use&& use) const {
      const std::unique_lock lock(state_->mutex);
      return use_if_there(use);
    }
    /// The same as run(), but never waits: false as well while T is ending, or while a task runs
    /// alone.
    template <class Use>
    bool try_run(Use&& use) const {
      const std::shared_lock lock(state_->mutex, std::try_to_lock);
      return lock && use_if_there(use);
    }

   private:
    friend class GuardedSelf;
    explicit Handle(std::shared_ptr<State> state) : state_(std::move(state)) {}
    template <class Use>
    bool use_if_there(Use& use) const {
      if (state_->self == nullptr) return false;
      use(*state_->self);
      return true;
    }
    std::shared_ptr<State> state_;
  };

  explicit GuardedSelf(T& self) : state_(std::make_shared<State>()) { state_->self = &self; }
  GuardedSelf(const GuardedSelf&) = delete;
  GuardedSelf& operator=(const GuardedSelf&) = delete;
  ~GuardedSelf() { end(); }

  [[nodiscard]] Handle handle() const { return Handle(state_); }
  /// Waits for tasks that use T; later ones do nothing. May be called again.
  void end() noexcept {
    const std::unique_lock lock(state_->mutex);
    state_->self = nullptr;
  }

 private:
  /// Owners: this, and each task that has not run.
  const std::shared_ptr<State> state_;
};

}  // namespace hector
