// What: the claims of a token that is made, as JSON.
// Why: they are written beside where they are read.
// Who: TokenKey::sign().
#pragma once

#include <boost/json/object.hpp>

#include "hector/token.h"

namespace hector::identity {

// Claims that no RFC has.
inline constexpr const char* kRightsClaim = "hector_rights";
inline constexpr const char* kOriginsClaim = "hector_origins";

boost::json::object claims_of(const TokenPlan& plan);

}  // namespace hector::identity
