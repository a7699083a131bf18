// What: how one answer of a watched query differs from the one before.
// Why: a watcher is told which offers come, go or change, not the whole answer again.
// Who: the Trading servant's watch.
#pragma once

#include <vector>

#include "hector/service/v1/trading.pb.h"

namespace hector::trading {

namespace v1 = hector::service::v1;

/// Offers that left with the place they had, then in the order of `now` those that entered and
/// those with another place or other properties. Places count from 1.
std::vector<v1::TradingChange> changes_between(const std::vector<v1::TradingOffer>& before,
                                               const std::vector<v1::TradingOffer>& now);

}  // namespace hector::trading
