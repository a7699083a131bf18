#include "systems.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "hector/check.h"

namespace hector::naming {

namespace {

Status not_supported(const Components& name, const char* what) {
  return refuse_name(
      "OPERATION_NOT_SUPPORTED", name, 0,
      fmt::format("this naming system is read only: {} is not for names of it", what));
}

}  // namespace

tl::unexpected<Error> refuse_name(const char* code, const Components& name, std::size_t at,
                                  const std::string& why) {
  v1::NamingStatus status;
  status.set_code(code);
  HECTOR_CHECK(at <= name.size(), "a name is refused behind its end");
  const auto middle = name.begin() + static_cast<std::ptrdiff_t>(at);
  if (at > 0) status.set_resolved_name(print_name({name.begin(), middle}));
  if (at < name.size()) status.set_remaining_name(print_name({middle, name.end()}));
  return fail(status_error(std::move(status), why));
}

Status NamingSystem::bind(const Components& name, const v1::NamingBind&) {
  return not_supported(name, "bind");
}
Status NamingSystem::unbind(const Components& name) { return not_supported(name, "unbind"); }
Status NamingSystem::make_context(const Components& name) {
  return not_supported(name, "create_subcontext");
}
Status NamingSystem::destroy_context(const Components& name) {
  return not_supported(name, "destroy_subcontext");
}

/// The library beside this one; it stays loaded.
Result<std::unique_ptr<NamingSystem>> make_cos_naming(const std::string& url) {
  Dl_info here = {};
  dladdr(reinterpret_cast<void*>(&make_cos_naming), &here);
  const auto path = std::filesystem::path(here.dli_fname).parent_path() / "cos_naming.so";
  if (!std::filesystem::exists(path))
    return refuse_name("CONFIGURATION_ERROR", {}, 0,
                       fmt::format("'{}': names of CosNaming need the library {}, which was not "
                                   "built; `tools/build release naming_cos_naming` builds it",
                                   url, path.string()));
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr)
    return refuse_name("CTX_UNAVAILABLE", {}, 0,
                       fmt::format("'{}': names of CosNaming need omniORB, `tools/setup` "
                                   "installs it: {}",
                                   url, dlerror()));
  using Make = NamingSystem* (*)(const std::string*, std::string*);
  const auto make = reinterpret_cast<Make>(dlsym(library, "hector_make_cos_naming"));
  std::string why;
  std::unique_ptr<NamingSystem> made(make == nullptr ? nullptr : make(&url, &why));
  if (!made) return refuse_name("CTX_UNAVAILABLE", {}, 0, fmt::format("'{}': {}", url, why));
  return made;
}

Result<std::unique_ptr<NamingSystem>> make_system(const ServiceContext& service,
                                                  const std::string& url) {
  const std::string scheme = url.substr(0, url.find(':'));
  if (scheme == "file") return make_file_system(url.substr(url.starts_with("file://") ? 7 : 5));
  if (scheme == "dns") return make_dns(url);
  if (scheme == "corbaname" || scheme == "corbaloc" || scheme == "IOR") return make_cos_naming(url);
  return make_store_system(service, url);
}

}  // namespace hector::naming
