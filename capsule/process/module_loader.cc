#include "process/module_loader.h"

#include <dlfcn.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <sstream>
#include <system_error>

#include "base/text/nearest.h"
#include "hector/check.h"

namespace hector {

namespace fs = std::filesystem;

struct PluginLoader::Library {
  Manifest manifest;
  boost::dll::shared_library library;
};

namespace {

std::string folder_of(ModuleKind kind) { return std::string(module_kind_name(kind)) + "s"; }

/// `make` is the plugin's maker for the kind, null if it has none; `context` is made only for one.
template <class Made, class Maker, class Context>
Result<std::unique_ptr<Made>> make_module(ModuleKind kind, const std::string& name, Maker make,
                                          const Context& context) {
  if (make == nullptr)
    return fail(Code::kFailedPrecondition,
                fmt::format("plugin '{}' makes no {}", name, module_kind_name(kind)));
  std::unique_ptr<Made> made(make(context()));
  if (!made)
    return fail(Code::kUnavailable, fmt::format("{} '{}' could not start; the log says why",
                                                module_kind_name(kind), name));
  return made;
}

/// Modules start threads and open files as they are made; the system may have none left.
template <class Work>
auto within_limits(const std::string& module, Work work) -> decltype(work()) {
  const auto exhausted = [&](const std::string& what) {
    return fail(Error::resource_exhausted(fmt::format(
        "module '{}' cannot start: {}; raise the limits of the process (`ulimit -n`, `-u`, `-v`)",
        module, what)));
  };
  try {
    return work();
  } catch (const std::system_error& error) {
    return exhausted(error.code().message());
  } catch (const boost::system::system_error& error) {
    return exhausted(error.code().message());
  } catch (const std::bad_alloc&) {
    return exhausted("there is no memory left");
  }
}

}  // namespace

PluginLoader::PluginLoader(std::vector<std::string> paths, Log& log)
    : paths_(std::move(paths)), log_(log) {}
PluginLoader::~PluginLoader() {
  for (auto& [name, library] : libraries_) {
    if (library->manifest.unload == "retire")
      static_cast<void>(library.release());  // stays mapped until the process ends
  }
}

Result<Manifest> PluginLoader::find(ModuleKind kind, const std::string& name) const {
  for (const auto& path : paths_) {
    const fs::path file = fs::path(path) / folder_of(kind) / name / "plugin.yaml";
    if (fs::exists(file)) return read_manifest(kind, file.string());
  }
  std::vector<std::string> names;
  for (const auto& manifest : all(kind)) names.push_back(manifest.name);
  return fail(Code::kNotFound,
              fmt::format("no {} plugin '{}' under {}{}; there are {}", module_kind_name(kind),
                          name, fmt::join(paths_, ", "), nearest_hint(name, names),
                          names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

std::vector<Manifest> PluginLoader::all(ModuleKind kind) const {
  std::vector<Manifest> list;
  for (const auto& path : paths_) {
    const fs::path folder = fs::path(path) / folder_of(kind);
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!fs::exists(entry.path() / "plugin.yaml")) continue;
      if (auto manifest = read_manifest(kind, (entry.path() / "plugin.yaml").string()))
        list.push_back(std::move(*manifest));
    }
  }
  std::sort(list.begin(), list.end(), [](const Manifest& a, const Manifest& b) {
    return std::tie(a.weight, a.name) < std::tie(b.weight, b.name);
  });
  return list;
}

Result<const ::hector_plugin*> PluginLoader::open(const Manifest& manifest) {
  if (manifest.abi != HECTOR_ABI_RECORD) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format(
            "{} plugin '{}' was built for ABI '{}', this capsule has '{}'; build both together",
            module_kind_name(manifest.kind), manifest.name, manifest.abi, HECTOR_ABI_RECORD));
  }
  for (const auto& library : manifest.load_globally) {
    if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE) == nullptr) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("{} plugin '{}' needs {}: {}", module_kind_name(manifest.kind),
                              manifest.name, library, dlerror()));
    }
  }
  const std::string file = (fs::path(manifest.folder) / manifest.library).string();
  auto opened = std::make_unique<Library>();
  opened->manifest = manifest;
  boost::system::error_code error;
  opened->library.load(file, error,
                       boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  if (error)
    return fail(Code::kFailedPrecondition,
                fmt::format("{} cannot be opened: {}", file, error.message()));
  if (!opened->library.has("hector_plugin_v1"))
    return fail(Code::kFailedPrecondition, fmt::format("{} exports no hector_plugin_v1", file));
  const auto& plugin = opened->library.get<const ::hector_plugin>("hector_plugin_v1");
  if (plugin.abi != HECTOR_ABI_VERSION || plugin.size < sizeof(::hector_plugin)) {
    return fail(Code::kFailedPrecondition, fmt::format("{} has plugin ABI {}, this capsule has {}",
                                                       file, plugin.abi, HECTOR_ABI_VERSION));
  }
  const std::lock_guard lock(mutex_);
  libraries_[folder_of(manifest.kind) + "/" + manifest.name] = std::move(opened);
  return &plugin;
}

/// What the configuration says of a module.
struct PluginLoader::Added {
  const std::vector<std::string>& listen;
  const std::string& settings;
  Channels channels;
};

Status PluginLoader::load(ModuleKind kind, const std::string& name,
                          const std::vector<std::string>* listen, const std::string& settings,
                          Channels channels) {
  auto manifest = HECTOR_TRY(find(kind, name));
  auto plugin = HECTOR_TRY(open(manifest));
  return within_limits(name, [&] {
    return add(manifest, *plugin,
               {listen != nullptr ? *listen : manifest.listen, settings, channels});
  });
}

Status PluginLoader::add_protocol(const Manifest& manifest, const ::hector_plugin& plugin,
                                  const Added& how) {
  const std::string& name = manifest.name;
  bool has_identity = false;
  auto made =
      HECTOR_TRY(make_module<Protocol>(ModuleKind::kProtocol, name, plugin.make_protocol, [&] {
        auto context = kernel_->protocol_context(how.settings);
        has_identity = context.credentials != nullptr;
        if (how.channels == Channels::kPlain) context.credentials = nullptr;
        return context;
      }));
  // The system knows who opens a socket file.
  const bool is_plain =
      made->capabilities().security == Security::kNone && manifest.peers != KnownPeers::kSocketFile;
  if (has_identity && is_plain) {
    if (how.channels == Channels::kSecured)
      return fail(Error::failed_precondition(fmt::format(
          "protocol {} cannot prove this capsule's identity, or judge its peers'; "
          "`protocols: {{{}: {{insecure: true}}}}` in the configuration lets it be plain, and so "
          "does `hector load protocol {} --insecure`",
          name, name, name)));
    log_.write(Level::kWarning, "a protocol is plain: its peers claim what they like",
               {{"protocol", name}, {"because", "insecure: true"}});
  }
  return kernel_->add_protocol(name, std::move(made), how.listen);
}

Status PluginLoader::add(const Manifest& manifest, const ::hector_plugin& plugin,
                         const Added& how) {
  const ModuleKind kind = manifest.kind;
  const std::string &name = manifest.name, &settings = how.settings;
  HECTOR_CHECK(kernel_ != nullptr, "modules are loaded into a kernel; set_kernel() gives it");
  HECTOR_CHECK(kind != ModuleKind::kStore, "stores are made by make_store()");
  if (kind == ModuleKind::kProtocol) return add_protocol(manifest, plugin, how);
  if (kind == ModuleKind::kLanguage) {
    auto made = HECTOR_TRY(make_module<Language>(
        kind, name, plugin.make_language, [&] { return kernel_->language_context(settings); }));
    return kernel_->add_language(name, std::move(made));
  }
  auto made = HECTOR_TRY(make_module<Service>(kind, name, plugin.make_service,
                                              [&] { return kernel_->service_context(settings); }));
  return kernel_->add_service(name, std::move(made));
}

Result<std::unique_ptr<Store>> PluginLoader::make_store(const std::string& location,
                                                        StoreContext context) {
  const auto colon = location.find(':');
  const std::string name = location.substr(0, colon);
  context.location = colon == std::string::npos ? "" : location.substr(colon + 1);
  auto manifest = HECTOR_TRY(find(ModuleKind::kStore, name));
  auto plugin = HECTOR_TRY(open(manifest));
  if (plugin->make_store == nullptr)
    return fail(Code::kFailedPrecondition, fmt::format("plugin '{}' makes no store", name));
  Error why{Code::kUnavailable,
            fmt::format("store '{}' could not start; the log says why", location)};
  context.why = &why;
  return within_limits(name, [&]() -> Result<std::unique_ptr<Store>> {
    std::unique_ptr<Store> store(plugin->make_store(context));
    if (!store) return fail(std::move(why));
    return store;
  });
}

Result<std::vector<std::string>> PluginLoader::load(ModuleKind kind, const std::string& name,
                                                    const LoadOptions& options) {
  auto manifest = HECTOR_TRY(find(kind, name));
  if (options.is_dry_run)
    return std::vector<std::string>{fmt::format("{} {} would be loaded from {}",
                                                module_kind_name(kind), name, manifest.folder)};
  HECTOR_TRY(load(kind, name, options.listen.empty() ? nullptr : &options.listen,
                  options.settings.empty() ? "{}" : options.settings, options.channels));
  return std::vector<std::string>{
      fmt::format("{} {} loaded from {}", module_kind_name(kind), name, manifest.folder)};
}

void PluginLoader::retired(ModuleKind kind, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = libraries_.find(folder_of(kind) + "/" + name);
  if (found == libraries_.end()) return;
  if (found->second->manifest.unload == "retire") static_cast<void>(found->second.release());
  log_.write(Level::kInfo, "module retired", {{"kind", module_kind_name(kind)}, {"name", name}});
  libraries_.erase(found);
}

std::string program_prefix() {
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path().string();
}

std::vector<std::string> plugin_paths() {
  std::vector<std::string> paths;
  if (const char* given = std::getenv("HECTOR_PLUGIN_PATH")) {
    std::stringstream list(given);
    for (std::string path; std::getline(list, path, ':');) {
      if (!path.empty()) paths.push_back(path);
    }
  }
  paths.push_back((fs::path(program_prefix()) / "lib" / "hector").string());
  return paths;
}

}  // namespace hector
