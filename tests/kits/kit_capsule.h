// What: KitCapsule, a kernel with real clock, loops and network, and the kits' Interfaces.
// Why: every kit needs two of them.
// Who: the kits.
#pragma once

#include <memory>
#include <string>

#include "hector/kernel.h"
#include "hector/system.h"
#include "process/capsule_credentials.h"
#include "process/module_loader.h"

namespace hector::kits {

class KitCapsule {
 public:
  /// With the identity capsule/NAME of the realm that HECTOR_KIT_REALM names, if it is set.
  explicit KitCapsule(const std::string& name, RightsMode rights = RightsMode::kNotAsked);
  ~KitCapsule();
  /// Loads a plugin; where it listens is its manifest's default unless given.
  Status load(ModuleKind kind, const std::string& plugin,
              const std::vector<std::string>* listen = nullptr);
  [[nodiscard]] Kernel& kernel() { return *kernel_; }
  [[nodiscard]] const Clock& clock() const { return *clock_; }
  [[nodiscard]] Executor& executor() { return *loops_; }
  [[nodiscard]] PluginLoader& loader() { return *loader_; }

 private:
  std::unique_ptr<Log> log_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<EventLoops> loops_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<CapsuleCredentials> credentials_;
  std::unique_ptr<PluginLoader> loader_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Kernel> kernel_;
};

/// $HECTOR_SOURCE and a path below it.
std::string source_path(const std::string& below);

}  // namespace hector::kits
