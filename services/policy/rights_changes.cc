// What: the operations of Policy on rights: plans that change them, and the names of what is there.
// Why: as changes.h, over the state of rights.
// Who: the Policy servant.
#include "rights_changes.h"

#include <fmt/format.h>

#include "hector/plain_text.h"
#include "state/answer.h"

namespace hector::policy {

using state::erasing;
using state::putting;
using state::refuse;

namespace {

constexpr std::size_t kNameOctetsMax = 200;  ///< of a set of policies, and of an entity

tl::unexpected<Error> full(const std::string& what) {
  return refuse("RESOURCE_EXHAUSTED", what, Code::kResourceExhausted);
}

}  // namespace

Result<StoreTransaction> plan_put_rules(const Rights& rights, const v1::PolicyRules& asked) {
  if (asked.name().empty() || asked.name().size() > kNameOctetsMax)
    return refuse("BAD_POLICY", "policies have a name of up to 200 octets");
  const auto* const schema = rights.schema() ? &*rights.schema() : nullptr;
  HECTOR_TRY(check_rules(asked.name(), plain_text(asked.text()), schema));
  if (!rights.sets().contains(asked.name()) && rights.sets().size() >= Rights::kSetsMax)
    return full(fmt::format("there are {} sets of policies, the limit", Rights::kSetsMax));
  return putting("p/" + asked.name(), asked);
}

Result<StoreTransaction> plan_remove_rules(const Rights& rights, const v1::PolicyName& asked) {
  if (rights.sets().contains(asked.name())) return erasing("p/" + asked.name());
  return refuse("NO_MATCH", fmt::format("there are no policies '{}'", asked.name()),
                Code::kNotFound);
}

Result<StoreTransaction> plan_put_entity(const Rights& rights, const v1::PolicyEntity& asked) {
  const auto id = HECTOR_TRY(read_entity_id(asked.id()));
  HECTOR_TRY(rights.check_entity(asked));
  if (rights.schema() && !rights.schema()->entities().contains(id.type))
    return refuse("SCHEMA", fmt::format("the schema has no entity type '{}'", id.type));
  if (!rights.has_entity(id) && rights.entity_count() >= Rights::kEntitiesMax)
    return full(fmt::format("there are {} entities, the limit", Rights::kEntitiesMax));
  return putting("n/" + print(id), asked);
}

Result<StoreTransaction> plan_remove_entity(const Rights& rights, const v1::PolicyName& asked) {
  const auto id = HECTOR_TRY(read_entity_id(asked.name()));
  if (rights.has_entity(id)) return erasing("n/" + print(id));
  return refuse("NO_MATCH", fmt::format("there is no entity {}", print(id)), Code::kNotFound);
}

Result<StoreTransaction> plan_put_schema(const Rights& rights, const v1::PolicySchema& asked) {
  for (const auto& [name, text] : rights.sets()) HECTOR_TRY(check_rules(name, text, &asked));
  return putting("s", asked);
}

v1::PolicyNames list_rules(const Rights& rights, const v1::PolicyName& asked) {
  v1::PolicyNames reply;
  for (const auto& [name, text] : rights.sets()) {
    if (name.starts_with(asked.name())) reply.add_names(name);
  }
  return reply;
}

}  // namespace hector::policy
