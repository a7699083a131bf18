// What: wait_until, sleeping on this thread while serving the Objects it is inside of;
// ServingWait, the same for the value of one callback.
// Why: a thread that waits inside an Object must serve the calls that come to it meanwhile, or two
// Objects that call each other stand still.
// Who: the C API, waited calls.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/parker.h"

namespace hector {

/// Returns when `is_over` is true; what makes it true wakes this thread's Parker afterwards.
void wait_until(const std::function<bool()>& is_over);

/// Awaited (hector/awaited.h) for a thread that is inside Objects. Made on the thread that waits.
template <class T>
class ServingWait {
 public:
  /// A copyable function that is called once with the value, on any thread; it may outlive this.
  [[nodiscard]] auto callback() {
    return [state = state_, parker = &Parker::mine()](T value) {
      state->value.emplace(std::move(value));
      state->is_done.store(true, std::memory_order_release);
      parker->wake();
    };
  }
  [[nodiscard]] T wait() {
    wait_until([&] { return state_->is_done.load(std::memory_order_acquire); });
    return std::move(*state_->value);
  }

 private:
  struct State {
    std::atomic<bool> is_done{false};
    std::optional<T> value;  ///< written before is_done
  };
  /// Two owners: this object and the callback, which may come later.
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace hector
