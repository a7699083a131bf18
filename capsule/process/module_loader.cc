#include "process/module_loader.h"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/text/read_file.h"
#include "base/yaml/yaml_node.h"

namespace hector {

namespace fs = std::filesystem;

struct PluginLoader::Library {
  Manifest manifest;
  boost::dll::shared_library library;
};

namespace {

std::string folder_of(ModuleKind kind) { return std::string(module_kind_name(kind)) + "s"; }

Result<Manifest> read_manifest(ModuleKind kind, const fs::path& file) {
  const std::string name = file.string();
  const auto text = HECTOR_TRY(read_file(name, "manifest"));
  try {
    const YamlNode node(YAML::Load(text), name, "the manifest");
    node.only({"name", "description", "status", "security", "unload", "libraries", "listen",
               "load_globally", "weight", "abi", "library"});
    Manifest manifest;
    manifest.kind = kind;
    manifest.folder = file.parent_path().string();
    for (const char* key : {"name", "library", "abi", "unload"}) {
      if (!node.has(key)) node.refuse(fmt::format("the manifest has no '{}'", key));
    }
    manifest.name = node.at("name").text();
    manifest.library = node.at("library").text();
    manifest.abi = node.at("abi").text();
    manifest.unload = node.at("unload").text();
    if (manifest.unload != "unmap" && manifest.unload != "retire")
      node.at("unload").refuse("`unload` is unmap or retire");
    if (manifest.library.find('/') != std::string::npos)
      node.at("library").refuse("a plugin's library lies beside its manifest");
    manifest.description = node.text_or("description", "");
    manifest.status = node.text_or("status", "");
    manifest.security = node.text_or("security", "unknown");
    if (node.has("listen")) manifest.listen = node.at("listen").texts();
    if (node.has("load_globally")) manifest.load_globally = node.at("load_globally").texts();
    if (node.has("weight")) manifest.weight = node.at("weight").number<std::uint32_t>("a number");
    return manifest;
  } catch (const YamlMistake& mistake) {
    return fail(Code::kInvalidArgument, mistake.text);
  } catch (const YAML::Exception& error) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}:{}:{}: not YAML: {}", name, error.mark.line + 1,
                            error.mark.column + 1, error.msg));
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
    if (fs::exists(file)) return read_manifest(kind, file);
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
      if (auto manifest = read_manifest(kind, entry.path() / "plugin.yaml"))
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

Status PluginLoader::load(ModuleKind kind, const std::string& name,
                          const std::vector<std::string>* listen, const std::string& settings) {
  auto manifest = HECTOR_TRY(find(kind, name));
  auto plugin = HECTOR_TRY(open(manifest));
  const auto wrong_kind = [&] {
    return fail(Code::kFailedPrecondition,
                fmt::format("plugin '{}' makes no {}", name, module_kind_name(kind)));
  };
  if (kind == ModuleKind::kProtocol) {
    if (plugin->make_protocol == nullptr) return wrong_kind();
    std::unique_ptr<Protocol> made(plugin->make_protocol(kernel_->protocol_context(settings)));
    if (!made)
      return fail(Code::kUnavailable,
                  fmt::format("protocol '{}' could not start; the log says why", name));
    return kernel_->add_protocol(name, std::move(made),
                                 listen != nullptr ? *listen : manifest.listen);
  }
  if (kind == ModuleKind::kLanguage) {
    if (plugin->make_language == nullptr) return wrong_kind();
    std::unique_ptr<Language> made(plugin->make_language(kernel_->language_context(settings)));
    if (!made)
      return fail(Code::kUnavailable,
                  fmt::format("language '{}' could not start; the log says why", name));
    return kernel_->add_language(name, std::move(made));
  }
  if (plugin->make_service == nullptr) return wrong_kind();
  std::unique_ptr<Service> made(plugin->make_service(kernel_->service_context(settings)));
  if (!made)
    return fail(Code::kUnavailable,
                fmt::format("service '{}' could not start; the log says why", name));
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
  std::unique_ptr<Store> store(plugin->make_store(context));
  if (!store) return fail(std::move(why));
  return store;
}

Result<std::vector<std::string>> PluginLoader::load(ModuleKind kind, const std::string& name,
                                                    const std::vector<std::string>& listen,
                                                    const std::string& settings, bool dry_run) {
  auto manifest = HECTOR_TRY(find(kind, name));
  if (dry_run)
    return std::vector<std::string>{fmt::format("{} {} would be loaded from {}",
                                                module_kind_name(kind), name, manifest.folder)};
  if (auto loaded =
          load(kind, name, listen.empty() ? nullptr : &listen, settings.empty() ? "{}" : settings);
      !loaded)
    return fail(loaded.error());
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
