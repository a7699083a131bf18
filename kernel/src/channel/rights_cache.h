// What: RightsCache, what Policy has said of callers and operations, until rights change.
// Why: a call must not wait for Policy each time: a decision that is known costs a look into a
// table, without a lock and without an allocation.
// Who: CallRights.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/epoch.h"
#include "hector/message.h"

namespace hector {

/// Who calls what, as far as a decision may depend on it.
struct CallKey {
  std::uint64_t offer = 0;
  std::uint32_t operation = 0;
  Security security = Security::kNone;
  std::string_view principal;  ///< empty: not known
  std::string_view claimed;    ///< by one that is not known
  std::string_view protocol;
  bool operator==(const CallKey&) const = default;
};

/// Any thread. A decision may be forgotten at any time: another one takes its place.
class RightsCache {
 public:
  static constexpr std::size_t kPlaces = 4'096;
  enum class Known : std::uint8_t { kNot, kAllowed, kDenied };

  RightsCache() = default;
  RightsCache(const RightsCache&) = delete;
  RightsCache& operator=(const RightsCache&) = delete;
  /// No find() is in progress.
  ~RightsCache() {
    for (auto& place : places_) delete place.load();
    for (const auto* each : replaced_) delete each;
  }

  /// What was decided at this generation of rights; `why` gets a denial's reason.
  [[nodiscard]] Known find(const CallKey& key, std::uint64_t generation,
                           std::string& why) const noexcept {
    const EpochGuard section;
    const std::size_t at = place_of(key);
    for (const std::size_t each : {at, at ^ 1}) {
      const Entry* const entry = places_[each].load(std::memory_order_acquire);
      if (entry == nullptr || entry->generation != generation || !(entry->key == key)) continue;
      if (entry->is_allowed) return Known::kAllowed;
      why = entry->why;
      return Known::kDenied;
    }
    return Known::kNot;
  }

  struct Decision {
    bool is_allowed = false;
    std::string why = {};
  };
  /// True: so many were replaced that free_replaced() is due, on a thread that may wait.
  bool put(const CallKey& key, std::uint64_t generation, Decision decision) {
    auto made = std::make_unique<Entry>(key, generation, std::move(decision));
    std::size_t at = place_of(key);
    const std::lock_guard lock(mutex_);
    const Entry* const there = places_[at].load();
    const bool is_taken =
        there != nullptr && there->generation == generation && !(there->key == key);
    if (is_taken) at ^= 1;
    const Entry* const before = places_[at].exchange(made.release(), std::memory_order_acq_rel);
    if (before != nullptr) replaced_.push_back(before);
    return replaced_.size() >= kReplacedMax;
  }
  /// Blocks until nobody looks at what was replaced.
  void free_replaced() {
    std::vector<const Entry*> all;
    {
      const std::lock_guard lock(mutex_);
      all = std::exchange(replaced_, {});
    }
    if (!all.empty()) EpochGuard::synchronize();
    for (const auto* each : all) delete each;
  }

 private:
  static constexpr std::size_t kReplacedMax = 256;
  struct Entry {
    Entry(const CallKey& given, std::uint64_t at, Decision decision)
        : principal(given.principal),
          claimed(given.claimed),
          protocol(given.protocol),
          key{given.offer, given.operation, given.security, principal, claimed, protocol},
          generation(at),
          is_allowed(decision.is_allowed),
          why(std::move(decision.why)) {}
    const std::string principal, claimed, protocol;
    const CallKey key;  ///< of these three
    const std::uint64_t generation;
    const bool is_allowed;
    const std::string why;
  };
  static std::size_t place_of(const CallKey& key) noexcept {
    constexpr std::hash<std::string_view> hash;
    std::size_t mixed = hash(key.principal.empty() ? key.claimed : key.principal);
    mixed ^= (key.offer + key.operation * 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;
    return (mixed ^ mixed >> 29) % kPlaces;
  }

  std::array<std::atomic<const Entry*>, kPlaces> places_{};
  std::mutex mutex_;                    ///< of who puts
  std::vector<const Entry*> replaced_;  ///< owned; find() may still look at them
};

}  // namespace hector
