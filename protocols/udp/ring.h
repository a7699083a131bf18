// What: Ring, a queue in one block that grows by doubling.
// Why: what leaves stays in its place and is used again with the memory it has: a warm session
// allocates nothing.
// Who: Session.
#pragma once

#include <cstddef>
#include <vector>

namespace hector::udp {

template <class T>
class Ring {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// From the front, below size().
  T& operator[](std::size_t at) { return slots_[(first_ + at) & (slots_.size() - 1)]; }
  const T& operator[](std::size_t at) const { return slots_[(first_ + at) & (slots_.size() - 1)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  /// A slot at the back, with what an earlier one left in it.
  T& push() {
    if (size_ == slots_.size()) grow();
    ++size_;
    return (*this)[size_ - 1];
  }
  void pop() {
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
  }
  void pop_back() { --size_; }

 private:
  void grow() {
    std::vector<T> more(slots_.empty() ? 8 : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) more[i] = std::move((*this)[i]);
    slots_ = std::move(more);
    first_ = 0;
  }
  std::vector<T> slots_;  ///< a power of two
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace hector::udp
