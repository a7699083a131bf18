// What: Awaited, the value that one callback brings and one thread sleeps for.
// Why: code that may block calls functions that answer by callback; the mutex, the condition
// variable and the shared state are written once.
// Who: the store's blocking helpers, state transfer, plugins that start up by asking a peer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "hector/check.h"

namespace hector {

/// For one question and one answer:
///   Awaited<Result<StorePage>> page;
///   store.read(request, page.callback());
///   return page.wait();
/// The callback may run on any thread, before, during or after the wait, and may outlive this
/// object. Only on a thread that may block; it does nothing else while it sleeps.
template <class T>
class Awaited {
 public:
  /// A copyable function that is called once with the value; a second call ends the process.
  [[nodiscard]] auto callback() {
    return [state = state_](T value) {
      const std::lock_guard lock(state->mutex);
      HECTOR_CHECK(!state->value, "a callback brought its value twice");
      state->value.emplace(std::move(value));
      state->has_value.notify_all();
    };
  }
  /// Blocks until the value is there and takes it; once.
  [[nodiscard]] T wait() {
    std::unique_lock lock(state_->mutex);
    state_->has_value.wait(lock, [&] { return state_->value.has_value(); });
    return std::move(*state_->value);
  }
  /// Blocks for at most this long; null if the value did not come.
  [[nodiscard]] std::optional<T> wait_for(std::chrono::nanoseconds longest) {
    std::unique_lock lock(state_->mutex);
    if (!state_->has_value.wait_for(lock, longest, [&] { return state_->value.has_value(); }))
      return std::nullopt;
    return std::move(state_->value);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable has_value;
    std::optional<T> value;
  };
  /// Two owners: this object and the callback, which may come later.
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace hector
