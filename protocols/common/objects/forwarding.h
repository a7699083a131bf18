// What: adopting an Object of another capsule: it keeps its own Interface, and calls go there by
// the protocol that policy chooses.
// Why: two capsules that meet in a world of plain objects lose nothing of their types and of their
// speed to it.
// Who: the protocols that are worlds of objects of their own.
#pragma once

#include "hector/capsule.h"
#include "objects/adoption.h"

namespace hector::objects {

/// What an Object that is shown in a world says of itself there: how other capsules reach it
/// without that world, Reference::text().
inline constexpr const char* kReference = "hector_reference";

/// Where the Object is reached now. May block.
using Find = std::function<Result<Reference>()>;

/// `adoption.interface_name` is not looked at: the other capsule says what the Interface is. `find`
/// is asked where a call did not get through. Blocks. UNAVAILABLE or FAILED_PRECONDITION where no
/// protocol reaches it; the errors of Hosting::adopt().
Status adopt_offer(Hosting& hosting, const void* owner, const Adoption& adoption,
                   const Reference& reference, Find find);

}  // namespace hector::objects
