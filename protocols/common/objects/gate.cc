#include "objects/gate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hector/capsule.h"
#include "hector/message_calls.h"
#include "hector/service/v1/policy.pb.h"
#include "objects/adoption.h"

namespace hector::objects {

namespace {

/// Policy answers in microseconds; a caller of these worlds gives up after 5 to 10 s.
constexpr Duration kAskTimeout = std::chrono::seconds(2);

}  // namespace

std::string entity_of(const std::string& type, const std::string& id) {
  std::string text = type + "::\"";
  for (const char each : id) {
    if (each == '"' || each == '\\') text += '\\';
    text += each;
  }
  return text + '"';
}

Result<Reference> Gate::reference_of(const std::string& object) const {
  if (is_shut_)
    return fail(
        Error::permission_denied("Policy is asked about each call from this world; a reference "
                                 "would go around it"));
  return context_.hosting->reference_of(object);
}

void Gate::ask(Use use, const std::string& object, const std::string& member,
               Callback<void(Status)> then) {
  if (!is_shut_) return then({});
  std::string action = use == Use::kGet ? "get" : use == Use::kSet ? "set" : "call";
  std::shared_ptr<Target> policy;
  {
    const std::lock_guard lock(mutex_);
    policy = policy_;
  }
  if (policy) return ask_policy(*policy, std::move(action), object, member, std::move(then));
  context_.hosting->run_blocking(
      [self = shared_from_this(), action = std::move(action), object, member,
       waiting = std::make_shared<Callback<void(Status)>>(std::move(then))]() mutable {
        auto found = self->context_.hosting->handle().resolve("policy");
        if (!found)
          return (*waiting)(fail(Error::unavailable(
              "calls from this world need Policy's word, and there is no Policy service; load or "
              "join one: " +
              found.error().message)));
        const std::shared_ptr<Target> policy = std::move(*found);
        {
          const std::lock_guard lock(self->mutex_);
          self->policy_ = policy;
        }
        self->ask_policy(*policy, std::move(action), std::move(object), std::move(member),
                         std::move(*waiting));
      });
}

void Gate::ask_policy(Target& policy, std::string action, std::string object, std::string member,
                      Callback<void(Status)> then) {
  service::v1::PolicyAuthorisation question;
  question.set_principal(principal_);
  question.set_action(action);
  question.set_resource(entity_of("Object", object));
  question.set_context(fmt::format("{{\"member\": {}}}", json_text(member)));
  auto& call = CallbackCall::make([self = shared_from_this(), action, object, member,
                                   then = std::move(then)](Call& answered) mutable {
    if (answered.error) {
      {
        const std::lock_guard lock(self->mutex_);
        self->policy_ = nullptr;  // the next question resolves it again
      }
      return then(
          fail(Error::unavailable("Policy could not be asked: " + answered.error->message)));
    }
    auto decision = read_message<service::v1::PolicyDecision>(answered.reply);
    if (!decision) return then(fail(decision.error()));
    if (decision->allowed()) return then({});
    std::vector<std::string> reasons(decision->reasons().begin(), decision->reasons().end());
    const std::string why = reasons.empty()
                                ? "no policy permits it"
                                : fmt::format("forbidden by {}", fmt::join(reasons, ", "));
    then(fail(Error::permission_denied(fmt::format("{} may not {} '{}' of '{}': {}",
                                                   self->principal_, action, member, object, why))
                  .with_reasons(std::move(reasons))));
  });
  call.header.operation = kByName;
  call.header.operation_name = "authorise";
  call.header.deadline = context_.clock->now() + kAskTimeout;
  call.request = write_message(question);
  policy.start(call);
}

}  // namespace hector::objects
