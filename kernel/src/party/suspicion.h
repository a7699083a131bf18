// What: tell_initiator, how a party reports that another may be lost, or broke a promise.
// Why: only the capsule that made a Binding changes it; parties notice first.
// Who: sessions.
#pragma once

#include "hector/kernel/v1/kernel.pb.h"
#include "hector/reference.h"
#include "party/core.h"

namespace hector {

/// Place.dimension of what is no broken promise about quality: a party holds a message, holds none
/// any more, or has a phase that took too long.
inline constexpr const char* kHeld = "held";
inline constexpr const char* kPassed = "passed";
inline constexpr const char* kOverrun = "overrun";

/// A party noticed that another may be lost: the Binding's initiator monitors it from now on. Any
/// thread; does not block. The report may be lost.
void tell_initiator(Core& core, const Reference& initiator, const hector::kernel::v1::Place& place);

}  // namespace hector
