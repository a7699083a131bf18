// What: CodeModule, code that was published by name.
// Why: a language executes it, the Type service has it; neither has to know the other.
// Who: hector/language.h, hector/service/type.h.
#pragma once

#include <string>
#include <string_view>

namespace hector {

struct CodeModule {
  std::string name;
  std::string media;  ///< "text/x-python", "application/x-python-code"
  std::string content;
  std::string digest;  ///< SHA-256 of the content, 64 hex digits; already compared
  bool is_package = false;
};

/// Error::type of a module whose octets are not what was published; it must not be executed, nor
/// another one in its place.
inline constexpr std::string_view kBadModule = "BAD_SIGNATURE";

}  // namespace hector
