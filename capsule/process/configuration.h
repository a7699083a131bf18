// What: Configuration, what etc/<capsule>.yaml says.
// Why: which modules a capsule has is configuration; an unknown key is an error with its line, not
// a silent nothing.
// Who: hector-capsule.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hector/kernel.h"
#include "hector/system.h"
#include "process/capsule_credentials.h"

namespace hector {

struct ModuleSettings {
  std::string name;
  std::vector<std::string> listen;
  std::string settings = "{}";  ///< JSON
  bool is_insecure = false;     ///< a protocol that is plain, whatever identity the capsule has
};

struct ServiceSettings {
  std::string name;
  std::string joined;  ///< a capsule's name or reference; empty: embedded
  std::string settings = "{}";
};

struct Configuration {
  std::string capsule;
  std::string principal;
  std::string run_directory;  ///< empty: the user's
  /// Where embedded services keep their state: "sqlite:/path", "memory", "etcd://host:2379/prefix".
  std::string store;
  LogFormat log_format = LogFormat::kText;
  Level log_level = Level::kInfo;
  std::vector<ModuleSettings> protocols;
  std::vector<ModuleSettings> languages;
  std::vector<ServiceSettings> services;
  std::vector<std::string> types;      ///< absolute paths
  std::vector<std::string> templates;  ///< absolute paths
  std::vector<CreateOptions> objects;
  std::vector<PolicyEntry> policy;
  Duration default_deadline = std::chrono::seconds(30);
  Duration drain_grace = std::chrono::seconds(5);
  std::string audit;  ///< the audit log's file; empty: nothing is recorded
  /// Left out: of the realm that HECTOR_REALM names. Of no realm: channels are plain.
  IdentitySettings identity;
  std::vector<ManagementRole> management_roles;
  RightsMode rights = RightsMode::kNotAsked;
  bool is_management_open = false;  ///< to everybody who reaches a protocol
};

/// Relative paths are from the file's folder; $VARIABLE and ${VARIABLE} in paths are the
/// environment's, ${HECTOR_PREFIX} is the folder above bin/. INVALID_ARGUMENT: "file:line:column:
/// what".
Result<Configuration> read_configuration(const std::string& path, const std::string& prefix);

}  // namespace hector
