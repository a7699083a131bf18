// What: the Object that stands for a realm: it wires events of HEROs to methods of others.
// Why: HEROS' programs connect events to methods directly; here any client does it through an
// Interface.
// Who: Realm.
#pragma once

#include "hector/protocol.h"
#include "zenoh_link.h"

namespace hector::heros {

/// "realm-NAME". `link` has to outlive it. The errors of Hosting::adopt().
Status adopt_realm(const ProtocolContext& context, ZenohLink& link, const std::string& realm,
                   const void* owner);
std::string realm_object_name(const std::string& realm);

}  // namespace hector::heros
