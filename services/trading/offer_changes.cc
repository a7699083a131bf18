// What: how one answer of a watched query differs from the one before.
// Why: a watcher is told which offers come, go or change, not the whole answer again.
// Who: the Trading servant's watch.
#include "offer_changes.h"

#include <algorithm>

namespace hector::trading {

namespace {

/// The number of offers if it is not there.
std::size_t place_of(const std::vector<v1::TradingOffer>& offers, const std::string& id) {
  const auto found =
      std::find_if(offers.begin(), offers.end(), [&](const auto& each) { return each.id() == id; });
  return static_cast<std::size_t>(found - offers.begin());
}

v1::TradingChange change_of(v1::TradingChangeKind kind, std::size_t place,
                            const v1::TradingOffer& offer) {
  v1::TradingChange change;
  change.set_kind(kind);
  change.set_place(static_cast<std::uint32_t>(place + 1));
  *change.mutable_offer() = offer;
  return change;
}

}  // namespace

std::vector<v1::TradingChange> changes_between(const std::vector<v1::TradingOffer>& before,
                                               const std::vector<v1::TradingOffer>& now) {
  std::vector<v1::TradingChange> changes;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (place_of(now, before[i].id()) == now.size())
      changes.push_back(change_of(v1::TRADING_LEAVE, i, before[i]));
  }
  for (std::size_t i = 0; i < now.size(); ++i) {
    const std::size_t was = place_of(before, now[i].id());
    if (was == before.size())
      changes.push_back(change_of(v1::TRADING_ENTER, i, now[i]));
    else if (was != i || now[i].SerializeAsString() != before[was].SerializeAsString())
      changes.push_back(change_of(v1::TRADING_REORDER, i, now[i]));
  }
  return changes;
}

}  // namespace hector::trading
