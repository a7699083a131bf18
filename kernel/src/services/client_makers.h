// What: one maker for each service whose contract the kernel itself uses.
// Why: each stands in a file of its own with the message classes it needs; the table needs none.
// Who: service_clients.cc.
#pragma once

#include <memory>
#include <string>

#include "hector/capsule.h"
#include "hector/service/naming.h"
#include "hector/service/policy.h"
#include "hector/service/trading.h"
#include "hector/service/type.h"

namespace hector {

struct ClientContext {
  const Clock* clock = nullptr;
  std::string capsule;
};

/// The kernel asks before it acts: where there is no answer it goes by its own entries.
inline constexpr Duration kAnswerWithin = std::chrono::seconds(2);

std::unique_ptr<NamingService> make_naming_client(Target& target, const ClientContext& context);
std::unique_ptr<TradingService> make_trading_client(Target& target, const ClientContext& context);
std::unique_ptr<PolicyService> make_policy_client(Target& target, const ClientContext& context);
std::unique_ptr<TypeService> make_type_client(Target& target, const ClientContext& context);

}  // namespace hector
