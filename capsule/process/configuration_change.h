// What: ConfigurationChange, what differs between the configuration a capsule runs with and the one
// its file has now.
// Why: a reload changes what has changed and leaves everything else as it is; the comparison needs
// no capsule, and is tested alone.
// Who: CapsuleProcess::reload().
#pragma once

#include <string>
#include <vector>

#include "process/configuration.h"

namespace hector {

/// Each list in its file's order.
struct ConfigurationChange {
  template <class Settings>
  struct Modules {
    std::vector<Settings> come;
    std::vector<std::string> go;
    std::vector<Settings> differ;  ///< the same name, set up otherwise
  };
  Modules<ModuleSettings> protocols;
  Modules<ModuleSettings> languages;
  Modules<ServiceSettings> services;
  std::vector<std::string> templates_go;  ///< paths
  Modules<CreateOptions> objects;
  /// Keys of the file that count when the capsule starts, and never again.
  std::vector<std::string> need_a_restart;
};

ConfigurationChange change_between(const Configuration& was, const Configuration& is);

}  // namespace hector
