// What: rights as policies: permit and forbid over principal, action, resource and context, after
// Cedar.
// Why: who may do what is said once, is denied unless said, and each answer names the policies that
// made it.
// Who: Policy.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "hector/result.h"
#include "hector/service/v1/policy.pb.h"

namespace hector::policy {

namespace v1 = hector::service::v1;

/// User::"ann".
struct EntityId {
  std::string type, id;
  auto operator<=>(const EntityId&) const = default;
};
/// INVALID_ARGUMENT for anything but Type::"id" (or Type::id).
Result<EntityId> read_entity_id(std::string_view text);
std::string print(const EntityId& id);

/// A value of the language: Cedar's, without decimals and addresses.
struct Datum {
  using Set = std::vector<Datum>;
  using Record = std::map<std::string, Datum>;
  std::variant<bool, std::int64_t, std::string, EntityId, std::shared_ptr<const Set>,
               std::shared_ptr<const Record>>
      value;
  bool operator==(const Datum& other) const;
};
/// Of JSON, entities as {"__entity": {"type": …, "id": …}}. INVALID_ARGUMENT for fractions and
/// null.
Result<Datum::Record> read_record(const std::string& json);

struct Entity {
  Datum::Record attributes;
  std::set<EntityId> parents;
};
using Entities = std::map<EntityId, Entity>;

struct Rule;

/// Compiled policies; immutable.
class RuleSet {
 public:
  static constexpr std::size_t kOctetsMax = 64 * 1024;
  static constexpr std::size_t kDepthMax = 100;
  /// One or more policies. INVALID_ARGUMENT (BAD_POLICY) with line and column.
  static Result<std::shared_ptr<const RuleSet>> read(const std::string& name,
                                                     const std::string& text);
  /// What of it the schema does not know: entity types, actions, attributes, attributes that need
  /// not be there and are not asked for by `has`. INVALID_ARGUMENT (SCHEMA) with every reason.
  [[nodiscard]] Status check(const v1::PolicySchema& schema) const;

  std::vector<std::shared_ptr<const Rule>> rules;
};

struct Request {
  EntityId principal, action, resource;
  Datum::Record context;
};
/// Denied unless a permit holds and no forbid does. A permit that cannot be evaluated is passed
/// over; a forbid that cannot is as good as one that holds (unlike Cedar, whose errors let it
/// pass).
v1::PolicyDecision decide(const std::vector<std::shared_ptr<const RuleSet>>& sets,
                          const Entities& entities, const Request& request);

}  // namespace hector::policy
