// What: Catalogue, the types that the Type service keeps: names, versions, where their contents
// lie, who uses whom.
// Why: questions about types are answered from memory; what was defined never changes, so contents
// are read once.
// Who: the Type service. Its state comes from the store: "m/NAME" what is known of a name, "v/NAME
// NUL VERSION" a version, "k/…" a module's record. Contents are blobs beside it, by digest, in
// parts.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "hector/service/v1/type.pb.h"
#include "hector/store.h"
#include "hector/types.h"
#include "state/replica.h"

namespace hector::type_service {

namespace v1 = hector::service::v1;

struct Name;
/// One version as it is kept.
struct Version {
  const Name* of = nullptr;
  v1::TypeVersion model;  ///< descriptions without contents
  Bytes stored;           ///< the same as the store has it: without its revision
  Revision defined = 0;
};
struct Name {
  v1::TypeNameState state;
  Revision modified = 0;
  std::map<std::uint64_t, Version> versions;
};

std::string version_key(const std::string& name, std::uint64_t version);
std::string module_key(const std::string& language, const std::string& name,
                       const std::string& abi);

class Catalogue final : public state::Machine {
 public:
  void clear() override;
  void apply(const StoreEvent& event) override;
  [[nodiscard]] const Name* name(const std::string& name) const;
  /// By a name (`version` 0: the latest; of those until `at_revision`) or an id. Null if there is
  /// none.
  [[nodiscard]] const Version* find(const std::string& name_or_id, std::uint64_t version = 0,
                                    Revision at_revision = 0) const;
  [[nodiscard]] const v1::TypeModule* module(const std::string& key) const;
  /// Names of types whose latest versions name this one, or its id, as a super or otherwise.
  [[nodiscard]] std::vector<std::string> usages(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names(const std::string& prefix, std::size_t most) const;
  [[nodiscard]] std::size_t size() const { return names_.size(); }

 private:
  std::map<std::string, Name> names_;
  std::unordered_map<std::string, const Version*> ids_;  ///< nodes of maps stay where they are
  std::map<std::string, v1::TypeModule> modules_;
};

}  // namespace hector::type_service
