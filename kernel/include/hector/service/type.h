// What: TypeService, the standard interface of the Type service inside a capsule, as far as the
// kernel and languages use it.
// Why: code and types come from one place, whose digest says that they are what they were.
// Who: language plugins, whose `import` asks it first.
#pragma once

#include <string>

#include "hector/result.h"

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

/// As NamingService.
class TypeService {
 public:
  virtual ~TypeService() = default;
  /// NOT_FOUND; DATA_LOSS (kBadModule); UNAVAILABLE within two seconds where the service does not
  /// answer.
  virtual Result<CodeModule> fetch_module(const std::string& language, const std::string& name,
                                          const std::string& abi) = 0;
};

}  // namespace hector
