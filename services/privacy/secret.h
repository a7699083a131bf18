// What: Secret and Wiped, where key material is kept: in locked memory that is wiped when it is
// given up, and for the time of one operation on the stack.
// Why: a key is in no core file, in no swap, and not in memory that something else is given later.
// Who: everything here that holds a key.
#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hector::privacy {

inline const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
inline unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

/// Octets in locked memory between guard pages. Move only; one thread at a time may change it.
class Secret {
 public:
  Secret() = default;
  static Secret copy(std::string_view octets);
  /// From the system's generator.
  static Secret random(std::size_t size);

  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(memory_.get()), size_};
  }
  [[nodiscard]] const unsigned char* data() const { return memory_.get(); }
  [[nodiscard]] unsigned char* writable() { return memory_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  struct Free {
    void operator()(unsigned char* memory) const { sodium_free(memory); }
  };
  explicit Secret(std::size_t size);
  std::unique_ptr<unsigned char, Free> memory_;
  std::size_t size_ = 0;
};

/// A key that one operation derives.
template <std::size_t size>
class Wiped {
 public:
  Wiped() = default;
  Wiped(const Wiped&) = default;
  Wiped& operator=(const Wiped&) = default;
  ~Wiped() { sodium_memzero(octets_.data(), size); }
  [[nodiscard]] unsigned char* data() { return octets_.data(); }
  [[nodiscard]] const unsigned char* data() const { return octets_.data(); }
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(octets_.data()), size};
  }

 private:
  std::array<unsigned char, size> octets_{};
};

/// Wipes a text that has held a secret, at the end of its block.
class WipedText {
 public:
  explicit WipedText(std::string& text) : text_(text) {}
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;
  ~WipedText() { sodium_memzero(text_.data(), text_.size()); }

 private:
  std::string& text_;
};

std::string random_octets(std::size_t size);

}  // namespace hector::privacy
