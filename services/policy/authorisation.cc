// What: rights in Cedar's language, over the C ABI of the cedar-policy crate.
// Why: Cedar's own reader and evaluator decide, so that a policy means what it means elsewhere.
// Who: Policy.
#include "authorisation.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <vector>

#include "cedar_c/hector_cedar.h"
#include "hector/check.h"

namespace hector::policy {

namespace {

/// What one call of the library told.
struct Told {
  std::vector<std::string> why, reasons, errors;
  EntityId id;
};

hc_text text_of(std::string_view text) { return {text.data(), text.size()}; }

void take(void* context, hc_topic topic, hc_text text) {
  auto& told = *static_cast<Told*>(context);
  std::string said(text.data, text.size);
  switch (topic) {
    case HC_WHY:
      told.why.push_back(std::move(said));
      return;
    case HC_REASON:
      told.reasons.push_back(std::move(said));
      return;
    case HC_ERROR:
      told.errors.push_back(std::move(said));
      return;
    case HC_TYPE:
      told.id.type = std::move(said);
      return;
    case HC_ID:
      told.id.id = std::move(said);
      return;
  }
}
hc_tell into(Told& told) { return {take, &told}; }

std::string first_of(const Told& told) {
  return told.why.empty() ? "the library says nothing" : told.why.front();
}

/// Of what is no policy.
Status status_of(hc_answer answer, const Told& told) {
  if (answer == HC_YES || answer == HC_NO) return {};
  return fail(answer == HC_BROKEN ? Code::kInternal : Code::kInvalidArgument, first_of(told));
}

Status rules_status(hc_answer answer, Told told) {
  if (answer == HC_UNFIT)
    return fail(Error::invalid_argument("SCHEMA: the policies do not fit the schema")
                    .with_type("SCHEMA")
                    .with_reasons(std::move(told.why)));
  if (answer != HC_REFUSED) return status_of(answer, told);
  auto error = Error::invalid_argument("BAD_POLICY: " + first_of(told)).with_type("BAD_POLICY");
  if (told.why.size() < 2) return fail(std::move(error));
  return fail(std::move(error).with_reasons(std::move(told.why)));
}

/// Valid as long as what it is made of.
struct EntityView {
  explicit EntityView(const v1::PolicyEntity& entity) {
    for (const auto& each : entity.parents()) parents.push_back(text_of(each));
    view = {text_of(entity.id()), text_of(entity.attributes()), text_of(entity.tags()),
            parents.data(), parents.size()};
  }
  std::vector<hc_text> parents;
  hc_entity view{};
};

}  // namespace

Result<EntityId> read_entity_id(std::string_view text) {
  Told told;
  HECTOR_TRY(status_of(hc_entity_id(text_of(text), into(told)), told));
  return std::move(told.id);
}

std::string print(const EntityId& id) { return fmt::format("{}::\"{}\"", id.type, id.id); }

Status check_rules(const std::string& name, const std::string& text,
                   const v1::PolicySchema* schema) {
  std::string json;
  if (schema != nullptr) {
    const auto written = google::protobuf::util::MessageToJsonString(*schema, &json);
    HECTOR_CHECK(written.ok(), "a schema of texts can be written as JSON");
  }
  Told told;
  const auto answer = hc_policies_check(text_of(name), text_of(text),
                                        schema == nullptr ? hc_text{} : text_of(json), into(told));
  return rules_status(answer, std::move(told));
}

void Authorisation::Free::operator()(hc_rights* rights) const noexcept { hc_rights_free(rights); }

Authorisation::Authorisation() : rights_(hc_rights_new()) {
  HECTOR_CHECK(rights_ != nullptr, "the library made no rights");
}

void Authorisation::clear() {
  decided_.clear();
  rights_.reset(hc_rights_new());
}

Status Authorisation::put_rules(const std::string& name, const std::string& text) {
  decided_.clear();
  Told told;
  const auto answer =
      hc_rights_put_policies(rights_.get(), text_of(name), text_of(text), into(told));
  return rules_status(answer, std::move(told));
}

void Authorisation::remove_rules(const std::string& name) {
  decided_.clear();
  hc_rights_remove_policies(rights_.get(), text_of(name));
}

Status Authorisation::put_entity(const std::string& key, const v1::PolicyEntity& entity) {
  decided_.clear();
  Told told;
  const EntityView view(entity);
  return status_of(hc_rights_put_entity(rights_.get(), text_of(key), &view.view, into(told)), told);
}

void Authorisation::remove_entity(const std::string& key) {
  decided_.clear();
  hc_rights_remove_entity(rights_.get(), text_of(key));
}

Status Authorisation::check_entity(const v1::PolicyEntity& entity) const {
  Told told;
  const EntityView view(entity);
  return status_of(hc_rights_check_entity(rights_.get(), &view.view, into(told)), told);
}

Result<v1::PolicyDecision> Authorisation::decide(const v1::PolicyAuthorisation& asked) const {
  std::string key = Decisions::key_of(asked);
  if (auto known = decided_.find(key)) return std::move(*known);
  Told told;
  const hc_question question{text_of(asked.principal()), text_of(asked.action()),
                             text_of(asked.resource()), text_of(asked.context())};
  const auto answer = hc_rights_decide(rights_.get(), &question, into(told));
  HECTOR_TRY(status_of(answer, told));
  v1::PolicyDecision decision;
  decision.set_allowed(answer == HC_YES);
  for (auto& each : told.reasons) decision.add_reasons(std::move(each));
  for (auto& each : told.errors) decision.add_errors(std::move(each));
  decided_.put(std::move(key), decision);
  return decision;
}

}  // namespace hector::policy
