// What: Modules, code by language and name, which `import` in a capsule executes.
// Why: code comes from one place; it is what its digest says, and signed where keys are trusted.
// Who: the Type servant's publish_module and fetch_module.
#pragma once

#include "blobs.h"
#include "catalogue.h"

namespace hector::type_service {

/// Any thread that may block.
class Modules {
 public:
  /// `keys`: Ed25519, 32 octets each; none: unsigned modules are taken.
  Modules(const Catalogue& catalogue, const state::Replica& replica, Blobs& blobs,
          std::vector<std::string> keys)
      : catalogue_(catalogue), replica_(replica), blobs_(blobs), keys_(std::move(keys)) {}

  /// Keeps the content; what it returns is the record to be kept, without it. BAD_SIGNATURE, PARSE.
  Result<v1::TypeModule> keep(v1::TypeModule module);
  /// The one for the ABI, or the one for any. NOT_FOUND; DATA_LOSS (BAD_SIGNATURE).
  Result<v1::TypeModule> fetch(const v1::TypeModuleQuestion& asked);

 private:
  [[nodiscard]] bool is_trusted(const v1::TypeModule& module, const std::string& content) const;
  Result<v1::TypeModule> record_of(const v1::TypeModuleQuestion& asked) const;
  const Catalogue& catalogue_;
  const state::Replica& replica_;
  Blobs& blobs_;
  const std::vector<std::string> keys_;
};

StoreTransaction plan_module(const v1::TypeModule& record);

}  // namespace hector::type_service
