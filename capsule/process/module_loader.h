// What: PluginLoader, which finds plugins by their manifests and loads them.
// Why: the manifest is read and its ABI record compared before the library is opened; nothing here
// knows a plugin by name.
// Who: hector-capsule, the command line, the management interface through ModuleLoader.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hector/kernel.h"
#include "hector/plugin.h"
#include "process/manifest.h"

namespace hector {

/// Any thread.
class PluginLoader final : public ModuleLoader {
 public:
  /// Plugin folders are <path>/<kind>s/<name>/plugin.yaml.
  PluginLoader(std::vector<std::string> paths, Log& log);
  ~PluginLoader() override;
  void set_kernel(Kernel* kernel) { kernel_ = kernel; }

  /// NOT_FOUND names what there is; INVALID_ARGUMENT says what is wrong with the manifest.
  Result<Manifest> find(ModuleKind kind, const std::string& name) const;
  std::vector<Manifest> all(ModuleKind kind) const;
  /// FAILED_PRECONDITION if the ABI record differs: the library is not opened then; or the capsule
  /// has an identity and the protocol cannot prove it.
  Status load(ModuleKind kind, const std::string& name, const std::vector<std::string>* listen,
              const std::string& settings, Channels channels = Channels::kSecured);

  /// "sqlite:/var/lib/hector/north.db": the provider of that name with what stands behind it. The
  /// provider's errors.
  Result<std::unique_ptr<Store>> make_store(const std::string& location, StoreContext context);

  Result<std::vector<std::string>> load(ModuleKind kind, const std::string& name,
                                        const LoadOptions& options) override;
  void retired(ModuleKind kind, const std::string& name) override;

 private:
  struct Library;
  Result<const ::hector_plugin*> open(const Manifest& manifest);
  struct Added;
  Status add(const Manifest& manifest, const ::hector_plugin& plugin, const Added& how);
  Status add_protocol(const Manifest& manifest, const ::hector_plugin& plugin, const Added& how);
  std::vector<std::string> paths_;
  Log& log_;
  Kernel* kernel_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Library>> libraries_;
};

/// The folder above this program's own (…/bin/hector → …).
std::string program_prefix();
/// $HECTOR_PLUGIN_PATH, then lib/hector under the prefix.
std::vector<std::string> plugin_paths();

}  // namespace hector
