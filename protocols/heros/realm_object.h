// What: the Object that stands for a realm: it wires events of HEROs to methods of others.
// Why: HEROS' programs connect them without a middleman; here it is asked by type, and by
// everybody.
// Who: Realm.
#pragma once

#include "hector/protocol.h"
#include "session.h"

namespace hector::heros {

/// "realm-NAME". `session` has to outlive it. The errors of Hosting::adopt().
Status adopt_realm(const ProtocolContext& context, Session& session, const std::string& realm,
                   const void* owner);
std::string realm_object_name(const std::string& realm);

}  // namespace hector::heros
