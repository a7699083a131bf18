// What: publish_interface(), an adopted HERO's Interface in the Type service.
// Why: its users read it where all types are.
// Who: AdoptedHeroes.
#pragma once

#include "hector/protocol.h"
#include "objects/description.h"

namespace hector::heros {

/// May block while Naming is remote; does nothing where there is no Type service. A refusal is
/// logged.
void publish_interface(const ProtocolContext& context, const objects::WrittenInterface& interface);

}  // namespace hector::heros
