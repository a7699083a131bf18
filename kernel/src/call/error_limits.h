// What: how long the parts of a call's error may be.
// Why: an error always arrives, over every protocol, with its code and its details; what gives way
// is the length of its texts, and a text that was cut says so.
// Who: Call, which applies it to the error that it ends with; the wire format.
#pragma once

#include <cstddef>

#include "hector/result.h"

namespace hector {

/// Of the message, the type, and each reason.
inline constexpr std::size_t kErrorTextOctetsMax = 8 * 1024;
/// Of all reasons together.
inline constexpr std::size_t kErrorReasonsOctetsMax = 32 * 1024;
inline constexpr std::size_t kErrorReasonsMax = 128;  ///< whichever of the two is reached first
/// A detail is a message: it is whole or left out, and then the text says that.
inline constexpr std::size_t kErrorDetailOctetsMax = 64 * 1024;

/// Cuts what is longer. An error that is within the limits stays as it is.
void keep_within_limits(Error& error);

}  // namespace hector
