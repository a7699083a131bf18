// What: Questions, the operations of Policy that read: values and how they come about.
// Why: they need the contexts and where this capsule is, and neither calls, locks nor a store.
// Who: the Policy servant.
#include "questions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hector/check.h"
#include "state/answer.h"
#include "typed_value.h"

namespace hector::policy {

using state::refuse;

namespace {

/// All that decides an answer; names hold no octet 0.
std::string key_of(const v1::PolicyQuestion& asked) {
  std::string key;
  for (const auto* part :
       {&asked.name(), &asked.class_(), &asked.object(), &asked.capsule(), &asked.host()})
    key.append(*part).push_back('\0');
  for (const auto& context : asked.chain()) key.append(context).push_back('\0');
  return key;
}

std::string where_of(const v1::PolicyValue& found) {
  const std::string line = found.line() == 0 ? "" : fmt::format(" line {}", found.line());
  return fmt::format("{}{}, entry '{}'", found.context(), line, found.spec());
}

std::string joined(const std::string& prefix, const std::string& leaf) {
  return prefix.empty() ? leaf : prefix + "." + leaf;
}

}  // namespace

Place Questions::place_of(const v1::PolicyQuestion& question) const {
  Place place = place_;
  if (!question.capsule().empty()) place.capsule = question.capsule();
  if (!question.host().empty()) place.host = question.host();
  return place;
}

template <class Request>
std::vector<std::string> Questions::chain_of(const Request& request, const Place& place) const {
  if (request.chain_size() != 0) return {request.chain().begin(), request.chain().end()};
  return contexts_.chain_of(
      request.object().empty() ? "capsule:" + place.capsule : "object:" + request.object(), place);
}

Result<Question> Questions::question_of(const v1::PolicyQuestion& asked) const {
  for (const auto& context : asked.chain()) HECTOR_TRY(check_context(context));
  return contexts_.question(asked.name(), asked.class_(), chain_of(asked, place_of(asked)));
}

Result<v1::PolicyValue> Questions::get(const v1::PolicyQuestion& asked, Revision revision) const {
  if (asked.at_least() > revision)
    return fail(Error::failed_precondition(
        fmt::format("policy is at revision {}, not yet at {}", revision, asked.at_least())));
  const auto found = HECTOR_TRY(contexts_.get(key_of(asked), [&] { return question_of(asked); }));
  const Entry* const entry = found.entry;
  if (entry == nullptr)
    return refuse("NO_MATCH",
                  fmt::format("no entry of {} matches '{}' ({})",
                              fmt::join(chain_of(asked, place_of(asked)), ", "), asked.name(),
                              asked.class_()),
                  Code::kNotFound);
  HECTOR_CHECK(found.context != nullptr, "an entry stands in a context");
  v1::PolicyValue value;
  value.set_value(entry->value);
  value.set_context(*found.context);
  value.set_spec(entry->spec);
  value.set_line(entry->line);
  value.set_is_final(entry->is_final);
  value.set_revision(revision);
  return value;
}

Result<v1::PolicyTyped> Questions::get_typed(const v1::PolicyTypedQuestion& asked,
                                             Revision revision) const {
  auto found = get(asked.question(), revision);
  if (!found && found.error().type != "NO_MATCH") return fail(found.error());
  v1::PolicyTyped typed;
  if (found) *typed.mutable_found() = *found;
  const std::string text = found ? found->value() : asked.otherwise();
  if (read_typed(asked.type(), text, typed)) return typed;
  if (!is_type(asked.type()))
    return refuse(
        "TYPE_ERROR",
        fmt::format("'{}' is none of boolean, integer, real, duration, list, text", asked.type()));
  return refuse(
      "TYPE_ERROR",
      fmt::format("{}: '{}' is no {}", found ? where_of(*found) : "the value given for none", text,
                  asked.type()),
      Code::kFailedPrecondition);
}

Result<v1::PolicyEntries> Questions::enumerate(const v1::PolicyPrefix& asked) const {
  const auto chain = chain_of(asked, place_);
  if (asked.name().empty() && asked.class_().empty())
    return contexts_.enumerate(Question{{}, {}, chain}, asked.one_level());
  const auto prefix = HECTOR_TRY(contexts_.question(asked.name(), asked.class_(), chain));
  return contexts_.enumerate(prefix, asked.one_level());
}

v1::PolicyEntries Questions::merge_view(const v1::PolicyQuestion& asked) const {
  return contexts_.merged(chain_of(asked, place_of(asked)));
}

Result<v1::PolicyExplanation> Questions::explain(const v1::PolicyQuestion& asked) const {
  const auto question = HECTOR_TRY(question_of(asked));
  return contexts_.explain(question);
}

Result<v1::PolicyChain> Questions::get_chain(const v1::PolicyContext& asked) const {
  HECTOR_TRY(check_context(asked.context()));
  v1::PolicyChain chain;
  chain.set_context(asked.context());
  for (const auto& each : contexts_.chain_of(asked.context(), place_)) chain.add_contexts(each);
  return chain;
}

Result<v1::PolicyExplanation> try_out(const v1::PolicyTrial& trial, Contexts::Now now) {
  Contexts alone(std::move(now));
  HECTOR_TRY(alone.try_text(trial.text(), trial.xrm() ? Dialect::kXrm : Dialect::kHector));
  const auto question =
      HECTOR_TRY(alone.question(trial.question().name(), trial.question().class_(), {"text"}));
  return alone.explain(question);
}

v1::PolicyHandle SearchLists::add(const v1::PolicySearchList& list) {
  const std::lock_guard lock(mutex_);
  if (lists_.size() >= kMax) lists_.erase(lists_.begin());
  v1::PolicyHandle handle;
  handle.set_handle(next_++);
  const auto [at, is_new] = lists_.emplace(handle.handle(), list);
  HECTOR_CHECK(is_new, "a handle is given out once");
  return handle;
}

Result<v1::PolicyQuestion> SearchLists::question(const v1::PolicyLeaf& leaf) const {
  const std::lock_guard lock(mutex_);
  const auto found = lists_.find(leaf.handle());
  if (found == lists_.end())
    return refuse("BAD_KEY", "the search list has been forgotten; make it again",
                  Code::kFailedPrecondition);
  const auto& prefix = found->second;
  v1::PolicyQuestion question;
  question.set_name(joined(prefix.name(), leaf.name()));
  question.set_class_(joined(prefix.class_(), leaf.class_()));
  question.set_object(prefix.object());
  *question.mutable_chain() = prefix.chain();
  return question;
}

}  // namespace hector::policy
