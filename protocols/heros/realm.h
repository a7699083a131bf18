// What: Realm, one realm of HEROS in which this capsule's Objects are HEROs and whose HEROs are
// Objects of this capsule.
// Why: labs that run HEROS join a Hector network as they are.
// Who: the HEROS protocol's Endpoint.
#pragma once

#include <memory>

#include "hector/protocol.h"
#include "realm_options.h"

namespace hector::heros {

/// Any thread.
class Realm {
 public:
  virtual ~Realm() = default;
  /// UNAVAILABLE: zenoh cannot start.
  static Result<std::shared_ptr<Realm>> open(const ProtocolContext& context, RealmOptions options);
  /// HEROs leave, adopted ones are dismissed, calls in flight get the grace. Idempotent.
  virtual void close(Duration grace) noexcept = 0;
};

}  // namespace hector::heros
