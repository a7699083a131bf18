// What: the settings of one realm.
// Why: the parts of a realm take them without knowing the whole.
// Who: RealmLink; the HEROS protocol.
#pragma once

#include <string>

#include "hector/clock.h"
#include "objects/world_options.h"

namespace hector::heros {

struct RealmOptions {
  std::string realm;
  std::string zenoh;  ///< zenoh's configuration, JSON5
  objects::WorldOptions world;
  /// Of calls by HEROS' clients, which wait no longer.
  Duration call_timeout = std::chrono::seconds(10);
};

}  // namespace hector::heros
