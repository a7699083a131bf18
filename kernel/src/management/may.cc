#include "management/may.h"

#include <fmt/format.h>

#include "channel/rights_words.h"

namespace hector {

namespace {

bool is_entity(const std::string& text) { return text.find("::") != std::string::npos; }

Result<std::string> resource_of(const std::string& action, const std::string& resource) {
  if (is_entity(resource)) return resource;
  if (action == "play") return rights::entity("Role", resource);
  if (action == "call") return rights::entity("Operation", resource);
  return fail(
      Error::invalid_argument(fmt::format("'{}' is no resource for '{}': write play "
                                          "BINDING/MAJOR.ROLE, call INTERFACE/MAJOR.OPERATION, "
                                          "or TYPE::\"ID\"",
                                          resource, action)));
}

}  // namespace

Result<RightsQuestion> question_of(const management::v1::MayRequest& request, const Caller& asker,
                                   const std::string& capsule) {
  RightsQuestion question;
  question.resource = HECTOR_TRY(resource_of(request.action(), request.resource()));
  question.action =
      is_entity(request.action()) ? request.action() : rights::entity("Action", request.action());
  const std::string& as = request.principal();
  std::string_view principal = as.empty() ? asker.principal : std::string_view(as);
  if (principal == rights::kAnonymous) principal = {};
  question.principal = is_entity(as) ? as : rights::principal(principal);
  if (!request.context().empty()) {
    question.context = request.context();
    return question;
  }
  const std::string& object = request.object();
  const auto slash = object.find('/');
  const bool is_elsewhere = slash != std::string::npos;
  auto context = rights::about(is_entity(as) ? std::string_view() : principal,
                               is_elsewhere ? std::string_view(object).substr(0, slash) : capsule,
                               is_elsewhere ? std::string_view(object).substr(slash + 1) : object);
  context.is_authenticated = !principal.empty();
  if (as.empty()) {
    context.protocol = asker.protocol;
    context.security = asker.security;
    context.claimed = asker.claimed;
  }
  question.context = rights::json(context);
  return question;
}

}  // namespace hector
