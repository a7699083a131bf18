// What: adopting an Object of another capsule: it keeps its own Interface, and calls go to it by
// the protocol that policy chooses.
// Why: two capsules that meet in a world of foreign objects keep their types and their speed.
// Who: heros, zeromq.
#pragma once

#include "hector/capsule.h"
#include "objects/adoption.h"

namespace hector::objects {

/// The metadata key under which an Object that is shown in a world says how other capsules reach it
/// without that world: Reference::text().
inline constexpr const char* kReference = "hector_reference";

/// Finds where the Object is reached now. May block.
using Find = std::function<Result<Reference>()>;

/// `adoption.interface_name` is ignored: the other capsule says what the Interface is. `find` is
/// called when a call did not reach the Object. Blocks. UNAVAILABLE or FAILED_PRECONDITION where no
/// protocol reaches it; the errors of Hosting::adopt().
Status adopt_offer(Hosting& hosting, const void* owner, const Adoption& adoption,
                   const Reference& reference, Find find);

}  // namespace hector::objects
