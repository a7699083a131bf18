// What: Rights, the policies, entities and schema that authorise() asks, fed by the store.
// Why: a right counts from the moment it is acknowledged, everywhere.
// Who: Policy. Keys of the store: "p/NAME" policies, "n/ENTITY" an entity, "s" the schema.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "authorisation.h"
#include "state/replica.h"

namespace hector::policy {

class Rights final : public state::Machine {
 public:
  static constexpr std::size_t kSetsMax = 10'000;
  static constexpr std::size_t kEntitiesMax = 1'000'000;  ///< all are in memory
  void clear() override;
  void apply(const StoreEvent& event) override;
  void applied(Revision revision) override;
  /// As Authorisation's.
  [[nodiscard]] Result<v1::PolicyDecision> decide(const v1::PolicyAuthorisation& asked) const {
    return authorisation_.decide(asked);
  }
  [[nodiscard]] Status check_entity(const v1::PolicyEntity& entity) const {
    return authorisation_.check_entity(entity);
  }
  /// Texts by name.
  [[nodiscard]] const std::map<std::string, std::string>& sets() const { return sets_; }
  [[nodiscard]] bool has_entity(const EntityId& id) const { return entities_.contains(print(id)); }
  [[nodiscard]] std::size_t entity_count() const { return entities_.size(); }
  [[nodiscard]] const std::optional<v1::PolicySchema>& schema() const { return schema_; }
  /// At which policies or entities last changed; when they were read again, that revision.
  [[nodiscard]] Revision changed_at() const { return changed_at_; }

 private:
  void apply_rules(const std::string& name, const StoreEvent& event);
  void apply_entity(const std::string& key, const StoreEvent& event);

  Authorisation authorisation_;
  std::map<std::string, std::string> sets_;
  std::set<std::string> entities_;
  std::optional<v1::PolicySchema> schema_;
  Revision changed_at_ = 0;
  bool has_changed_ = false;  ///< since `changed_at_`
};

}  // namespace hector::policy
