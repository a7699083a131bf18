// What: Realm, one realm of HEROS in which this capsule's Objects are HEROs and whose HEROs are
// Objects of this capsule.
// Why: labs that run HEROS join a Hector network as they are.
// Who: the HEROS protocol's Endpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hector/protocol.h"
#include "objects/world_options.h"

namespace hector::heros {

struct RealmOptions {
  std::string realm;
  std::string zenoh;  ///< zenoh's configuration, JSON5
  objects::WorldOptions world;
  Duration call_timeout =
      std::chrono::seconds(10);  ///< of what HEROS' clients ask: they wait no longer
};

/// Any thread.
class Realm {
 public:
  virtual ~Realm() = default;
  /// UNAVAILABLE: zenoh cannot start.
  static Result<std::shared_ptr<Realm>> open(const ProtocolContext& context, RealmOptions options);
  /// HEROs leave, adopted ones are dismissed, calls under way get the grace. Idempotent.
  virtual void close(Duration grace) noexcept = 0;
};

}  // namespace hector::heros
