// What: PartyTable, the sessions of this capsule's parties, by Binding and by the Object that
// plays.
// Why: a Binding is changed and ended as a whole, and an Object may not be destroyed while one of
// its sessions lives.
// Who: the coordinator adds and removes sessions; capsule and management look them up.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "objects/offer_table.h"

namespace hector {

class PartySession;

/// Any thread. Its mutex is a leaf: nothing else is locked and no session is entered under it.
class PartyTable {
 public:
  using Sessions = std::vector<std::shared_ptr<PartySession>>;

  void add(const std::shared_ptr<PartySession>& session);
  /// Nothing happens if it is not there any more.
  void remove(const PartySession& session);
  [[nodiscard]] Sessions of_binding(std::uint64_t binding) const;
  [[nodiscard]] Sessions of_offer(const Offer& offer) const;
  [[nodiscard]] bool has(const Offer& offer) const;
  /// By Binding.
  [[nodiscard]] Sessions all() const;

 private:
  mutable std::mutex mutex_;
  std::multimap<std::uint64_t, std::shared_ptr<PartySession>> sessions_;  ///< by Binding
};

}  // namespace hector
