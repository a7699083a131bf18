// What: Rights, the policies, entities and schema that authorise() asks, fed by the store.
// Why: a right counts from the moment it is acknowledged, everywhere.
// Who: Policy. Keys of the store: "p/NAME" policies, "n/ENTITY" an entity, "s" the schema.
#pragma once

#include <optional>

#include "authorisation.h"
#include "state/replica.h"

namespace hector::policy {

class Rights final : public state::Machine {
 public:
  static constexpr std::size_t kSetsMax = 10'000;
  static constexpr std::size_t kEntitiesMax = 1'000'000;
  void clear() override;
  void apply(const StoreEvent& event) override;
  [[nodiscard]] v1::PolicyDecision decide(const Request& request) const {
    return policy::decide(all_, entities_, request);
  }
  [[nodiscard]] const std::map<std::string, std::shared_ptr<const RuleSet>>& sets() const {
    return sets_;
  }
  [[nodiscard]] const Entities& entities() const { return entities_; }
  [[nodiscard]] const std::optional<v1::PolicySchema>& schema() const { return schema_; }

 private:
  std::map<std::string, std::shared_ptr<const RuleSet>> sets_;
  std::vector<std::shared_ptr<const RuleSet>> all_;
  Entities entities_;
  std::optional<v1::PolicySchema> schema_;
};

}  // namespace hector::policy
