// What: Modules, code by language and name, which `import` in a capsule executes.
// Why: code comes from one place; it is what its digest says, and signed where keys are trusted.
// Who: the Type servant's publish_module and fetch_module.
#include "modules.h"

#include <fmt/format.h>

#include <algorithm>

#include "definitions.h"
#include "state/answer.h"
#include "state/signature.h"

namespace hector::type_service {

using state::refuse;

bool Modules::is_trusted(const v1::TypeModule& module, const std::string& content) const {
  return keys_.empty() || std::any_of(keys_.begin(), keys_.end(), [&](const auto& key) {
           return state::is_signed_by(key, content, module.signature());
         });
}

Result<v1::TypeModule> Modules::keep(v1::TypeModule module) {
  if (module.language().empty() || !is_type_name(module.name()))
    return refuse("PARSE", "a module has a language and a name");
  if (!module.digest().empty() && module.digest() != state::digest_of(module.content()))
    return refuse("BAD_SIGNATURE",
                  fmt::format("the content of '{}' has not the digest given", module.name()));
  if (!is_trusted(module, module.content()))
    return refuse("BAD_SIGNATURE",
                  fmt::format("none of the trusted keys signed module '{}'", module.name()),
                  Code::kPermissionDenied);
  const auto digest = HECTOR_TRY(blobs_.put(module.content()));
  module.set_digest(digest);
  module.clear_content();
  module.clear_revision();
  return module;
}

Result<v1::TypeModule> Modules::record_of(const v1::TypeModuleQuestion& asked) const {
  const auto lock = replica_.read();
  const auto* found = catalogue_.module(module_key(asked.language(), asked.name(), asked.abi()));
  if (found == nullptr) found = catalogue_.module(module_key(asked.language(), asked.name(), ""));
  if (found != nullptr) return *found;
  return refuse("NOT_FOUND",
                fmt::format("there is no module '{}' in {}", asked.name(), asked.language()),
                Code::kNotFound);
}

Result<v1::TypeModule> Modules::fetch(const v1::TypeModuleQuestion& asked) {
  auto module = HECTOR_TRY(record_of(asked));
  const auto content = HECTOR_TRY(blobs_.get(module.digest()));
  if (!is_trusted(module, *content))
    return refuse("BAD_SIGNATURE",
                  fmt::format("none of the trusted keys signed module '{}'", asked.name()),
                  Code::kDataLoss);
  module.set_content(*content);
  return module;
}

StoreTransaction plan_module(const v1::TypeModule& record) {
  return state::putting(module_key(record.language(), record.name(), record.abi()), record);
}

}  // namespace hector::type_service
