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

  /// The session keeps its Offer as long as it lives.
  void add(std::uint64_t binding, const Offer& offer, std::shared_ptr<PartySession> session);
  /// Nothing happens if it is not there any more.
  void remove(std::uint64_t binding, const PartySession& session);
  [[nodiscard]] Sessions of_binding(std::uint64_t binding) const;
  [[nodiscard]] Sessions of_offer(const Offer& offer) const;
  [[nodiscard]] bool has(const Offer& offer) const;
  /// By Binding.
  [[nodiscard]] Sessions all() const;

 private:
  mutable std::mutex mutex_;
  struct Entry {
    const Offer* offer;
    std::shared_ptr<PartySession> session;  ///< shared with the session table and with its calls
  };
  std::multimap<std::uint64_t, Entry> sessions_;  ///< by Binding
};

}  // namespace hector
