// What: UseCounts, who protected and revealed how much with which version.
// Why: before a version is destroyed one wants to know who still reads with it.
// Who: the servant.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "privacy_messages.pb.h"

namespace hector::privacy {

/// Principals and versions that are told apart; beyond them all principals are "*".
inline constexpr std::size_t kUsesMax = 1'000;

/// Of one capsule. Any thread.
class UseCounts {
 public:
  enum class Kind : std::uint8_t { kProtects, kReveals };
  struct Use {
    std::string keyset;
    std::uint32_t version = 0;
    std::string principal;
  };
  void count(const Use& use, Kind kind) {
    const std::lock_guard lock(mutex_);
    Counts& counts = find(use);
    ++(kind == Kind::kProtects ? counts.protects : counts.reveals);
    ++unstored_;
  }
  /// What was counted in an earlier life.
  void load(const v1::Uses& uses) {
    const std::lock_guard lock(mutex_);
    for (const auto& each : uses.uses()) {
      Counts& counts = counts_[{each.keyset(), each.version(), each.principal()}];
      counts.protects += each.protects();
      counts.reveals += each.reveals();
    }
  }
  [[nodiscard]] v1::Uses all(const std::string& capsule) const {
    const std::lock_guard lock(mutex_);
    v1::Uses uses;
    for (const auto& [place, counts] : counts_) {
      auto& use = *uses.add_uses();
      use.set_keyset(std::get<0>(place));
      use.set_version(std::get<1>(place));
      use.set_principal(std::get<2>(place));
      use.set_protects(counts.protects);
      use.set_reveals(counts.reveals);
      use.set_capsule(capsule);
    }
    return uses;
  }
  /// Messages since the last call.
  std::uint64_t take_unstored() {
    const std::lock_guard lock(mutex_);
    return std::exchange(unstored_, 0);
  }

 private:
  struct Counts {
    std::uint64_t protects = 0, reveals = 0;
  };
  using Place = std::tuple<std::string, std::uint32_t, std::string>;

  Counts& find(const Use& use) {
    constexpr std::size_t kPrincipalOctetsMax = 100;  // all of them are one value of a store
    Place place{use.keyset, use.version, use.principal.substr(0, kPrincipalOctetsMax)};
    if (const auto found = counts_.find(place); found != counts_.end()) return found->second;
    if (counts_.size() >= kUsesMax) std::get<2>(place) = "*";
    return counts_[place];
  }
  mutable std::mutex mutex_;
  std::map<Place, Counts> counts_;
  std::uint64_t unstored_ = 0;
};

}  // namespace hector::privacy
