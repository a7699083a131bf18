// What: rights as policies: permit and forbid over principal, action, resource and context, in
// Cedar's language, decided by the cedar-policy crate.
// Why: who may do what is said once, is denied unless said, and each answer names the policies that
// made it.
// Who: Policy.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "decisions.h"
#include "hector/result.h"

struct hc_rights;

namespace hector::policy {

/// User::"ann".
struct EntityId {
  std::string type, id;
  auto operator<=>(const EntityId&) const = default;
};
/// INVALID_ARGUMENT for anything but Type::"id" (or Type::id).
Result<EntityId> read_entity_id(std::string_view text);
std::string print(const EntityId& id);

/// Whether a text of one or more policies can be read, and fits the schema where there is one.
/// INVALID_ARGUMENT: BAD_POLICY with line and column, one reason for each mistake; SCHEMA, with
/// every entity type, action and attribute that the schema does not know, and every attribute that
/// need not be there and is not asked for by `has`.
Status check_rules(const std::string& name, const std::string& text,
                   const v1::PolicySchema* schema = nullptr);

/// Policies and entities, each read once. One thread at a time changes them, or many ask.
class Authorisation {
 public:
  Authorisation();
  void clear();
  /// In place of those of the name. BAD_POLICY as check_rules(): from then on every question is
  /// denied, for what cannot be read may be what forbids.
  Status put_rules(const std::string& name, const std::string& text);
  void remove_rules(const std::string& name);
  /// In place of the one of the key. INVALID_ARGUMENT: likewise.
  Status put_entity(const std::string& key, const v1::PolicyEntity& entity);
  void remove_entity(const std::string& key);
  /// INVALID_ARGUMENT: an attribute, a tag or a parent cannot be read, or it would be below itself.
  [[nodiscard]] Status check_entity(const v1::PolicyEntity& entity) const;
  /// Denied unless a permit holds and no forbid does. A permit that cannot be evaluated is passed
  /// over; a forbid that cannot is as good as one that holds (unlike Cedar, whose errors let it
  /// pass). INVALID_ARGUMENT for an entity or a context that is none.
  [[nodiscard]] Result<v1::PolicyDecision> decide(const v1::PolicyAuthorisation& asked) const;

 private:
  struct Free {
    void operator()(hc_rights* rights) const noexcept;
  };
  std::unique_ptr<hc_rights, Free> rights_;
  mutable Decisions decided_;
};

}  // namespace hector::policy
