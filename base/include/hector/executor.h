// What: Executor (run something soon, or later) and Callback, a move-only function.
// Why: the kernel and its plugins start no threads of their own; a test runs everything on one, by
// seed.
// Who: the kernel, plugins, and Objects that write callbacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "hector/check.h"
#include "hector/clock.h"

namespace hector {

template <class Signature>
class Callback;

/// Move only; a function object of up to 48 octets needs no allocation. Calling an empty one ends
/// the process.
template <class R, class... Arguments>
class Callback<R(Arguments...)> {
 public:
  Callback() noexcept = default;
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, Callback> &&
           std::is_invocable_r_v<R, std::decay_t<F>&, Arguments...>) Callback(F&& function) {
    using Target = std::decay_t<F>;
    if constexpr (sizeof(Target) <= kInline && alignof(Target) <= alignof(std::max_align_t) &&
                  std::is_nothrow_move_constructible_v<Target>) {
      new (&storage_) Target(std::forward<F>(function));
      operations_ = &kInlineOperations<Target>;
    } else {
      *reinterpret_cast<Target**>(&storage_) = new Target(std::forward<F>(function));
      operations_ = &kHeapOperations<Target>;
    }
  }
  Callback(Callback&& other) noexcept { take(other); }
  Callback& operator=(Callback&& other) noexcept {
    if (this != &other) {
      clear();
      take(other);
    }
    return *this;
  }
  ~Callback() { clear(); }

  R operator()(Arguments... arguments) {
    HECTOR_CHECK(operations_ != nullptr, "an empty Callback is called");
    return operations_->invoke(&storage_, std::forward<Arguments>(arguments)...);
  }
  explicit operator bool() const noexcept { return operations_ != nullptr; }

 private:
  static constexpr std::size_t kInline = 48;
  struct Operations {
    R (*invoke)(void*, Arguments&&...);
    void (*move)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };
  template <class T>
  static constexpr Operations kInlineOperations = {
      [](void* p, Arguments&&... a) -> R {
        return (*static_cast<T*>(p))(std::forward<Arguments>(a)...);
      },
      [](void* from, void* to) noexcept {
        new (to) T(std::move(*static_cast<T*>(from)));
        static_cast<T*>(from)->~T();
      },
      [](void* p) noexcept { static_cast<T*>(p)->~T(); }};
  template <class T>
  static constexpr Operations kHeapOperations = {
      [](void* p, Arguments&&... a) -> R {
        return (**static_cast<T**>(p))(std::forward<Arguments>(a)...);
      },
      [](void* from, void* to) noexcept { *static_cast<T**>(to) = *static_cast<T**>(from); },
      [](void* p) noexcept { delete *static_cast<T**>(p); }};

  void take(Callback& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->move(&other.storage_, &storage_);
  }
  void clear() noexcept {
    if (operations_ != nullptr) std::exchange(operations_, nullptr)->destroy(&storage_);
  }

  alignas(std::max_align_t) std::byte storage_[kInline];
  const Operations* operations_ = nullptr;
};

using Task = Callback<void()>;
/// 0 names no timer.
using TimerId = std::uint64_t;

/// Any thread. Tasks run on an event loop's thread: they may not block.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(Task task) = 0;
  /// Runs the task once, at or after `when`.
  virtual TimerId at(TimePoint when, Task task) = 0;
  /// True: the task will not run. False: it has run, is running, or never was.
  virtual bool cancel(TimerId timer) = 0;
  /// Where the thread that waits is the only one (simulations): lets the next thing happen. False:
  /// there is nothing to do here, sleep.
  virtual bool help(TimePoint until) {
    static_cast<void>(until);
    return false;
  }
  /// Whether there is no other thread: what would block on one of its own is posted here, and waits
  /// by help().
  [[nodiscard]] virtual bool is_alone() const noexcept { return false; }
};

}  // namespace hector
