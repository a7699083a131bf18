// What: Ring, a queue in one block that grows by doubling.
// Why: a popped element stays in its slot and the next push() reuses the memory it holds, so a warm
// connection allocates nothing.
// Who: Connection.
#pragma once

#include <cstddef>
#include <vector>

#include "hector/check.h"

namespace hector::udp {

template <class T>
class Ring {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// From the front, below size().
  T& operator[](std::size_t at) { return slots_[slot(at)]; }
  const T& operator[](std::size_t at) const { return slots_[slot(at)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  /// A slot at the back, with the content that an earlier element left in it.
  T& push() {
    if (size_ == slots_.size()) grow();
    ++size_;
    return (*this)[size_ - 1];
  }
  void pop() {
    HECTOR_CHECK(size_ > 0, "pop() of an empty ring");
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
  }
  void pop_back() {
    HECTOR_CHECK(size_ > 0, "pop_back() of an empty ring");
    --size_;
  }

 private:
  static constexpr std::size_t kFirstSlots = 8;  // a power of two, as the doubles of it
  [[nodiscard]] std::size_t slot(std::size_t at) const {
    HECTOR_CHECK(at < size_, "an element beyond the end of a ring");
    return (first_ + at) & (slots_.size() - 1);
  }
  void grow() {
    std::vector<T> more(slots_.empty() ? kFirstSlots : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) more[i] = std::move((*this)[i]);
    slots_ = std::move(more);
    first_ = 0;
  }
  std::vector<T> slots_;  ///< a power of two
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace hector::udp
