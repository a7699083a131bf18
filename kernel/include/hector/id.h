// What: Place, a role's member as two numbers; SessionId, one party's session.
// Why: four kinds of 64-bit numbers and two of 32 pass through the kernel together: the compiler
// keeps them apart.
// Who: the kernel's rooms.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace hector {

/// A member of a role: both by position. Members keep their numbers while a Binding runs.
struct Place {
  std::uint32_t role = 0;
  std::uint32_t member = 0;
  auto operator<=>(const Place&) const = default;
};

/// One party's session in a Binding; 0 is none. Messages carry a number made of it.
enum class SessionId : std::uint64_t {};

constexpr std::uint64_t number_of(SessionId id) { return static_cast<std::uint64_t>(id); }

}  // namespace hector
