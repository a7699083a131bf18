// What: Manifest, what a plugin's plugin.yaml says.
// Why: a plugin is described, and its ABI record compared, before its library is opened.
// Who: the module loader.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hector/kernel.h"

namespace hector {

/// How the system knows which process is at the other end of a protocol.
enum class KnownPeers : std::uint8_t {
  kNone,
  kLoopback,    ///< by the table of sockets, where the peer is on a loopback interface
  kSocketFile,  ///< by the socket file that it opened
};

struct Manifest {
  ModuleKind kind = ModuleKind::kProtocol;
  std::string name;
  std::string folder;
  std::string description;
  std::string status;
  std::string security;
  std::string unload;               ///< "unmap" or "retire"
  std::string library;              ///< beside the manifest
  std::string abi;                  ///< the build adds it
  std::vector<std::string> listen;  ///< where a protocol listens unless told otherwise
  /// Libraries whose symbols extensions of the plugin's runtime need.
  std::vector<std::string> load_globally;
  std::string trial;  ///< a service's that runs steps: the command line's word for it
  KnownPeers peers = KnownPeers::kNone;
  std::uint32_t weight = 100;  ///< what it costs to load; the command line takes the lightest
};

/// NOT_FOUND if there is no such file; INVALID_ARGUMENT names file, line, column and mistake.
Result<Manifest> read_manifest(ModuleKind kind, const std::string& file);

}  // namespace hector
