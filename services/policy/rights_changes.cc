// What: the operations of Policy on rights: the question, and plans that change them.
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

constexpr std::size_t kNameOctetsMax = 200;

tl::unexpected<Error> full(const std::string& what) {
  return refuse("RESOURCE_EXHAUSTED", what, Code::kResourceExhausted);
}

/// An action may be written without its type.
std::string action_text(const std::string& text) {
  return text.find("::") == std::string::npos ? "Action::\"" + text + "\"" : text;
}

}  // namespace

Result<Request> request_of(const v1::PolicyAuthorisation& asked) {
  Request request;
  request.principal = HECTOR_TRY(read_entity_id(asked.principal()));
  request.action = HECTOR_TRY(read_entity_id(action_text(asked.action())));
  request.resource = HECTOR_TRY(read_entity_id(asked.resource()));
  request.context = HECTOR_TRY(read_record(asked.context()));
  return request;
}

Result<StoreTransaction> plan_put_rules(const Rights& rights, const v1::PolicyRules& asked) {
  if (asked.name().empty() || asked.name().size() > kNameOctetsMax)
    return refuse("BAD_POLICY", "policies have a name of up to 200 octets");
  const auto set = HECTOR_TRY(RuleSet::read(asked.name(), plain_text(asked.text())));
  if (rights.schema()) HECTOR_TRY(set->check(*rights.schema()));
  if (rights.sets().size() >= Rights::kSetsMax)
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
  HECTOR_TRY(read_record(asked.attributes()));
  for (const auto& parent : asked.parents()) HECTOR_TRY(read_entity_id(parent));
  if (rights.schema() && !rights.schema()->entities().contains(id.type))
    return refuse("SCHEMA", fmt::format("the schema has no entity type '{}'", id.type));
  if (rights.entities().size() >= Rights::kEntitiesMax)
    return full(fmt::format("there are {} entities, the limit", Rights::kEntitiesMax));
  return putting("n/" + print(id), asked);
}

Result<StoreTransaction> plan_remove_entity(const Rights& rights, const v1::PolicyName& asked) {
  const auto id = HECTOR_TRY(read_entity_id(asked.name()));
  if (rights.entities().contains(id)) return erasing("n/" + print(id));
  return refuse("NO_MATCH", fmt::format("there is no entity {}", print(id)), Code::kNotFound);
}

Result<StoreTransaction> plan_put_schema(const Rights& rights, const v1::PolicySchema& asked) {
  for (const auto& [name, set] : rights.sets()) HECTOR_TRY(set->check(asked));
  return putting("s", asked);
}

v1::PolicyNames list_rules(const Rights& rights, const v1::PolicyName& asked) {
  v1::PolicyNames reply;
  for (const auto& [name, set] : rights.sets()) {
    if (name.starts_with(asked.name())) reply.add_names(name);
  }
  return reply;
}

}  // namespace hector::policy
