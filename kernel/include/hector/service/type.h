// What: TypeService, the standard interface of the Type service inside a capsule, as far as the
// kernel and languages use it.
// Why: code and types come from one place, whose digest says that they are what they were.
// Who: language plugins, whose `import` asks it first.
#pragma once

#include <string>

#include "hector/code_module.h"
#include "hector/result.h"

namespace hector {

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
