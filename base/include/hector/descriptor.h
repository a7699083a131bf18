// What: Descriptor, a file descriptor that is closed with its owner; write_all().
// Why: an early return that forgets one leaks it for as long as a capsule lives; the
// system may write a part.
// Who: plugins and programs that speak to the system themselves.
#pragma once

#include <string_view>
#include <utility>

namespace hector {

/// One thread at a time.
class Descriptor {
 public:
  /// Negative: none.
  explicit Descriptor(int value = -1) noexcept : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  /// What it had is closed.
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      value_ = other.release();
    }
    return *this;
  }
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return value_; }
  [[nodiscard]] bool is_open() const noexcept { return value_ >= 0; }
  /// The caller's from now on.
  int release() noexcept { return std::exchange(value_, -1); }
  /// Closes it; none is left.
  void reset() noexcept;

 private:
  int value_;
};

/// All of it, however many writes that takes; it may not be on the disk yet. False with errno.
[[nodiscard]] bool write_all(int descriptor, std::string_view octets) noexcept;

}  // namespace hector
