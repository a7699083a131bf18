// What: Comparisons, what fits what: candidates and their predecessors, types and Roles.
// Why: a client asks before it defines, binds or trades.
// Who: the Type servant's check, conforms, match and closure.
#include "comparisons.h"

#include <fmt/format.h>

#include "formal.h"
#include "hector/authoring.h"
#include "state/answer.h"

namespace hector::type_service {

using state::refuse;

namespace {

bool compares_texts(const std::string& mode) {
  return mode == "FILE" || mode == "PACKAGE" || mode == "WIRE" || mode == "WIRE_JSON";
}

}  // namespace

Result<v1::TypeVerdict> Comparisons::check(const v1::TypeCandidate& request) {
  const auto known = models_.version(request.name());
  const std::string kind = !request.kind().empty() || !known ? request.kind() : known->kind();
  const std::string mode =
      request.mode().empty() ? definitions_.mode(request.name(), kind) : request.mode();
  if (compares_texts(mode)) return check_texts(request, mode);
  const auto model = HECTOR_TRY(formal_model(request.name(), kind, request.descriptions()));
  if (!model)
    return refuse("NO_DESCRIPTION", "only formal descriptions can be compared",
                  Code::kFailedPrecondition);
  return definitions_.verdict(request.name(), *model, mode);
}

Result<v1::TypeVerdict> Comparisons::check_texts(const v1::TypeCandidate& request,
                                                 const std::string& category) {
  v1::TypeQuestion asked;
  asked.set_name(request.name());
  asked.add_languages("proto");
  const auto older = HECTOR_TRY(models_.described(asked));
  const auto breaking = types::breaking_changes(protos_of(older.descriptions()),
                                                protos_of(request.descriptions()), category);
  if (!breaking) return refuse("PARSE", breaking.error().message);
  v1::TypeVerdict verdict;
  for (const auto& each : *breaking) {
    auto& violation = *verdict.add_violations();
    violation.set_rule(each.rule);
    violation.set_path(each.path);
    violation.set_older(each.older);
    violation.set_newer(each.newer);
    violation.set_version(older.version());
  }
  verdict.set_ok(verdict.violations_size() == 0);
  return verdict;
}

Result<Comparisons::Required> Comparisons::required_by(const std::string& text) {
  const auto model = models_.named(text);
  if (model) return Required{*model, nullptr, {}};
  const auto slash = text.find('/');
  const auto dot = slash == std::string::npos ? slash : text.find('.', slash);
  if (model.error().type != "NOT_FOUND" || dot == std::string::npos) return fail(model.error());
  const std::string role = text.substr(dot + 1);
  const auto binding = HECTOR_TRY(models_.named(text.substr(0, dot)));
  const auto id = HECTOR_TRY(interface_of_role(*binding, role));
  const auto interface = HECTOR_TRY(models_.named(id));
  return Required{binding, interface, role};
}

Result<v1::TypeVerdict> Comparisons::verdict(const TypeModel& sub, const Required& required,
                                             ConformanceLevel level) {
  const auto result = required.interface ? check_role(sub, *required.type, required.role,
                                                      *required.interface, level)
                                         : check_replacement(sub, *required.type, level);
  if (!result) {
    const Code code = result.error().code;
    if (code == Code::kInvalidArgument || code == Code::kNotFound) return fail(result.error());
    return refuse("UNDECIDED", result.error().message, Code::kResourceExhausted);
  }
  v1::TypeVerdict verdict;
  add_findings(*result, 0, verdict);
  verdict.set_ok(verdict.violations_size() == 0);
  verdict.set_order_compared(result->order_compared);
  return verdict;
}

Result<v1::TypeVerdict> Comparisons::conforms(const v1::TypeConforms& asked) {
  if (!asked.level().empty() && asked.level() != "signature" && asked.level() != "behaviour")
    return fail(Error::invalid_argument(
        fmt::format("'{}' is none of signature, behaviour", asked.level())));
  const auto sub = HECTOR_TRY(models_.named(asked.sub()));
  const auto required = HECTOR_TRY(required_by(asked.super()));
  return verdict(
      *sub, required,
      asked.level() == "signature" ? ConformanceLevel::kSignature : ConformanceLevel::kBehaviour);
}

Result<v1::TypeMatched> Comparisons::match(const v1::TypeMatch& asked) {
  const auto required = HECTOR_TRY(required_by(asked.role()));
  v1::TypeMatched reply;
  for (const auto& offer : asked.offers()) {
    const auto model = HECTOR_TRY(models_.named(offer));
    auto found = HECTOR_TRY(verdict(*model, required, ConformanceLevel::kBehaviour));
    if (found.ok())
      reply.add_offers(offer);
    else
      (*reply.mutable_refused())[offer] = std::move(found);
  }
  return reply;
}

Result<v1::TypeClosure> Comparisons::closure(const v1::TypeName& asked) {
  const auto model = HECTOR_TRY(models_.named(asked.name()));
  v1::TypeClosure reply;
  reply.set_files(model->descriptors());
  return reply;
}

}  // namespace hector::type_service
