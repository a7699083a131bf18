// What: NamingSystem, another naming system that names lead on into (XFN federation): DNS, a file
// system, a store, CosNaming.
// Why: what has names already keeps them where they are, and is reached by one composite name.
// Who: Naming, for junctions whose URL is none of Hector's own.
#pragma once

#include <functional>
#include <memory>

#include "directory.h"
#include "hector/service.h"

namespace hector::naming {

/// Any thread; may block. Names are those left when this system begins: [""] is its root. Errors
/// are status errors, seen from there: NAME_NOT_FOUND, NOT_A_CONTEXT, ILLEGAL_NAME,
/// CTX_UNAVAILABLE, OPERATION_NOT_SUPPORTED, and CONTINUE with `resolved` where a third system
/// begins.
class NamingSystem {
 public:
  virtual ~NamingSystem() = default;
  virtual Result<v1::NamingBinding> lookup(const Components& name) = 0;
  /// In the order of names.
  virtual Result<std::vector<v1::NamingBinding>> list(const Components& name) = 0;
  virtual Status bind(const Components& name, const v1::NamingBind& request);
  virtual Status unbind(const Components& name);
  virtual Status make_context(const Components& name);
  virtual Status destroy_context(const Components& name);
  [[nodiscard]] virtual v1::NamingSyntax syntax() const = 0;
};

/// By the URL's scheme; null and a status error where it cannot be made. Blocks.
Result<std::unique_ptr<NamingSystem>> make_system(const ServiceContext& service,
                                                  const std::string& url);

/// A status error about `name`, of which the first `at` components were resolved.
tl::unexpected<Error> refuse_name(const char* code, const Components& name, std::size_t at,
                                  const std::string& why);
inline bool is_root(const Components& name) {
  return name.empty() || (name.size() == 1 && name.front().empty());
}

std::unique_ptr<NamingSystem> make_file_system(const std::string& folder);
Result<std::unique_ptr<NamingSystem>> make_store_system(const ServiceContext& service,
                                                        const std::string& url);
Result<std::unique_ptr<NamingSystem>> make_dns(const std::string& url);
Result<std::unique_ptr<NamingSystem>> make_cos_naming(const std::string& url);

}  // namespace hector::naming
