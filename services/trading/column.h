// What: Column, one property of all offers of a type, in the order of its values.
// Why: a constraint's equality or range is a run of neighbours here, and a preference for the
// greatest is a walk from the end.
// Who: Offers.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "expression/value.h"

namespace hector::trading {

/// Sorted by value, then by the offer's number. Blocks of up to 256: an insertion moves a few KiB,
/// 24 octets an entry.
template <class Offer>
class Column {
 public:
  struct Entry {
    expression::Value value;
    Offer* offer;
  };
  /// A place between entries.
  struct Place {
    std::size_t block = 0, at = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  void insert(const expression::Value& value, Offer* offer) {
    ++size_;
    const Entry entry{value, offer};
    if (blocks_.empty()) {
      blocks_.push_back(std::make_unique<Block>());
      return blocks_.front()->entries.push_back(entry);
    }
    const std::size_t b = std::min(block_of(entry), blocks_.size() - 1);
    auto& entries = blocks_[b]->entries;
    entries.insert(std::upper_bound(entries.begin(), entries.end(), entry, before), entry);
    if (entries.size() < kBlockMax) return;
    auto half = std::make_unique<Block>();
    half->entries.assign(entries.begin() + kBlockMax / 2, entries.end());
    entries.resize(kBlockMax / 2);
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(b) + 1, std::move(half));
  }
  void erase(const expression::Value& value, Offer* offer) {
    const Entry entry{value, offer};
    const std::size_t b = block_of(entry);
    if (b == blocks_.size()) return;
    auto& entries = blocks_[b]->entries;
    const auto found = std::lower_bound(entries.begin(), entries.end(), entry, before);
    if (found == entries.end() || found->offer != offer) return;
    entries.erase(found);
    --size_;
    if (entries.empty()) blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(b));
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Place begin() const noexcept { return {}; }
  [[nodiscard]] Place end() const noexcept { return {blocks_.size(), 0}; }
  /// The first place whose value is not before; after: the first whose value is above.
  [[nodiscard]] Place lower(const expression::Value& value) const {
    return place([&](const Entry& entry) { return expression::sorts_before(entry.value, value); });
  }
  [[nodiscard]] Place upper(const expression::Value& value) const {
    return place([&](const Entry& entry) { return !expression::sorts_before(value, entry.value); });
  }
  [[nodiscard]] const Entry& operator[](Place place) const {
    return blocks_[place.block]->entries[place.at];
  }
  [[nodiscard]] Place next(Place place) const {
    return ++place.at < blocks_[place.block]->entries.size() ? place : Place{place.block + 1, 0};
  }
  [[nodiscard]] Place previous(Place place) const {
    return place.at > 0 ? Place{place.block, place.at - 1}
                        : Place{place.block - 1, blocks_[place.block - 1]->entries.size() - 1};
  }
  /// About how many entries there are between; exact within two blocks.
  [[nodiscard]] std::size_t count(Place from, Place to) const {
    if (from.block == to.block) return to.at - std::min(to.at, from.at);
    if (from.block > to.block) return 0;
    const std::size_t inner = to.block - from.block - 1;
    return blocks_[from.block]->entries.size() - from.at + inner * (size_ / blocks_.size()) + to.at;
  }

 private:
  static constexpr std::size_t kBlockMax = 256;  ///< entries: an insertion moves at most so many
  struct Block {
    Block() { entries.reserve(kBlockMax); }
    std::vector<Entry> entries;
  };
  static bool before(const Entry& left, const Entry& right) {
    if (expression::sorts_before(left.value, right.value)) return true;
    if (expression::sorts_before(right.value, left.value)) return false;
    return left.offer->number < right.offer->number;
  }
  /// The first block that ends at or after it.
  std::size_t block_of(const Entry& entry) const {
    return static_cast<std::size_t>(
        std::partition_point(
            blocks_.begin(), blocks_.end(),
            [&](const auto& block) { return before(block->entries.back(), entry); }) -
        blocks_.begin());
  }
  template <class F>
  Place place(F is_before) const {
    const auto block = std::partition_point(blocks_.begin(), blocks_.end(), [&](const auto& each) {
      return is_before(each->entries.back());
    });
    if (block == blocks_.end()) return end();
    const auto& entries = (*block)->entries;
    return {static_cast<std::size_t>(block - blocks_.begin()),
            static_cast<std::size_t>(
                std::partition_point(entries.begin(), entries.end(), is_before) - entries.begin())};
  }
  std::vector<std::unique_ptr<Block>> blocks_;
  std::size_t size_ = 0;
};

}  // namespace hector::trading
