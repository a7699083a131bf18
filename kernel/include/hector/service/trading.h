// What: TradingService, the standard interface of Trading (ISO/IEC 13235-1, OMG formal/00-06-27)
// inside a capsule.
// Why: roles are filled by what Objects offer: a service type, a constraint, a preference.
// Who: Objects through their Capsule handle, the Binding pipeline, management.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hector/reference.h"
#include "hector/service/leasing.h"

namespace hector {

struct TradedOffer {
  std::string id;
  Reference reference;
  std::map<std::string, std::string> properties;  ///< values as JSON scalars
};

struct TradeQuery {
  std::string type;        ///< "diary.Room/1"
  std::string constraint;  ///< OMG constraint language; empty: all
  std::string preference;  ///< "min cost", "max …", "with …", "first", "random"; empty: first
  std::uint32_t how_many = 100;
};

/// As NamingService.
class TradingService : public LeasingService {
 public:
  /// Register.export: the offer's id. It ends with the lease, if one is given.
  virtual Result<std::string> export_offer(const std::string& type, const Reference& reference,
                                           const std::map<std::string, std::string>& properties,
                                           std::uint64_t lease = 0) = 0;
  /// Register.withdraw. NOT_FOUND (UnknownOfferId).
  virtual Status withdraw(const std::string& id) = 0;
  /// Lookup.query, best first. INVALID_ARGUMENT (IllegalConstraint, IllegalPreference) with the
  /// column.
  virtual Result<std::vector<TradedOffer>> query(const TradeQuery& query) = 0;
};

}  // namespace hector
