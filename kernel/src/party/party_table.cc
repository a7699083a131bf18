#include "party/party_table.h"

#include <algorithm>

#include "hector/check.h"

namespace hector {

void PartyTable::add(std::uint64_t binding, const Offer& offer,
                     std::shared_ptr<PartySession> session) {
  HECTOR_CHECK(session != nullptr, "a party's session is added before it is made");
  const std::lock_guard lock(mutex_);
  sessions_.emplace(binding, Entry{&offer, std::move(session)});
}

void PartyTable::remove(std::uint64_t binding, const PartySession& session) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = sessions_.equal_range(binding);
  const auto at = std::find_if(
      first, last, [&](const auto& each) { return each.second.session.get() == &session; });
  HECTOR_CHECK(at != last, "a party ends that is not in the table");
  sessions_.erase(at);
}

PartyTable::Sessions PartyTable::of_binding(std::uint64_t binding) const {
  const std::lock_guard lock(mutex_);
  Sessions found;
  const auto [first, last] = sessions_.equal_range(binding);
  for (auto at = first; at != last; ++at) found.push_back(at->second.session);
  return found;
}

PartyTable::Sessions PartyTable::of_offer(const Offer& offer) const {
  const std::lock_guard lock(mutex_);
  Sessions found;
  for (const auto& [binding, entry] : sessions_) {
    if (entry.offer == &offer) found.push_back(entry.session);
  }
  return found;
}

bool PartyTable::has(const Offer& offer) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [&](const auto& each) { return each.second.offer == &offer; });
}

PartyTable::Sessions PartyTable::all() const {
  const std::lock_guard lock(mutex_);
  Sessions found;
  found.reserve(sessions_.size());
  for (const auto& [binding, entry] : sessions_) found.push_back(entry.session);
  return found;
}

}  // namespace hector
