// What: Naming and Trading as the kernel and Objects use them: clients of a Target, wherever the service is.
// Why: embedded or joined does not show.
// Who: the kernel's service table.
#pragma once

#include <memory>

#include "hector/capsule.h"
#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "hector/type/v1/type.pb.h"

namespace hector {

inline constexpr const char* kNamingInterface = "hector.Naming/1";
inline constexpr const char* kTradingInterface = "hector.Trading/1";

/// The standard Interfaces, in whose order a provider's operations are numbered.
hector::type::v1::Interface naming_interface();
hector::type::v1::Interface trading_interface();

std::unique_ptr<NamingService> make_naming_client(std::shared_ptr<Target> target, const Clock& clock);
std::unique_ptr<TradingService> make_trading_client(std::shared_ptr<Target> target, const Clock& clock);

}  // namespace hector
