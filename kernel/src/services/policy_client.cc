// What: PolicyService over the client generated from hector.Policy/1.
// Why: the kernel asks Policy while it makes a Binding; a Policy that is away may delay it once.
// Who: the table in service_clients.cc.
#include <unistd.h>

#include <atomic>

#include "hector/policy.hector.h"
#include "services/client_makers.h"

namespace hector {

namespace {

namespace v1 = hector::service::v1;

/// A Binding asks many questions: only the first one waits for a service that is away.
constexpr Duration kLeftAloneFor = std::chrono::seconds(1);
/// Asked every few hundred ms: a change is known within a second though one answer is lost.
constexpr Duration kRevisionWithin = std::chrono::milliseconds(400);

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

class RemotePolicy final : public PolicyService {
 public:
  RemotePolicy(Target& target, const ClientContext& context)
      : client_(target, *context.clock, Addressing::kByNumber),
        clock_(*context.clock),
        capsule_(context.capsule) {}

  Result<PolicyValue> get(const std::string& name, const std::string& class_name,
                          const std::string& object) override {
    const TimePoint now = clock_.now();
    if (now < away_until_.load(std::memory_order_relaxed))
      return fail(Code::kUnavailable, "the Policy service did not answer a moment ago");
    v1::PolicyQuestion question;
    question.set_name(name);
    question.set_class_(class_name);
    question.set_object(object);
    question.set_capsule(capsule_);
    question.set_host(host_name());
    auto found = client_.get(question, now + kAnswerWithin);
    if (found)
      return PolicyValue{found->value(), found->context(), found->spec(), found->is_final(),
                         found->revision()};
    note_away(found.error());
    return fail(std::move(found.error()));
  }
  Result<RightsDecision> authorise(const RightsQuestion& question) override {
    const TimePoint now = clock_.now();
    if (now < away_until_.load(std::memory_order_relaxed))
      return fail(Code::kUnavailable, "the Policy service did not answer a moment ago");
    return decided(client_.authorise(to_message(question), now + kAnswerWithin));
  }
  void authorise(const RightsQuestion& question,
                 std::function<void(Result<RightsDecision>)> told) override {
    const TimePoint now = clock_.now();
    if (now < away_until_.load(std::memory_order_relaxed))
      return told(fail(Code::kUnavailable, "the Policy service did not answer a moment ago"));
    client_.authorise(to_message(question), now + kAnswerWithin,
                      [this, told = std::move(told)](Result<v1::PolicyDecision> decision) {
                        told(decided(std::move(decision)));
                      });
  }
  void rights_revision(std::function<void(Result<std::int64_t>)> told) override {
    client_.rights_revision(v1::PolicyRevision(), clock_.now() + kRevisionWithin,
                            [told = std::move(told)](Result<v1::PolicyRevision> revision) {
                              told(revision.map([](const auto& at) { return at.revision(); }));
                            });
  }
  Status put(const std::string& context, const std::string& spec, const std::string& value,
             bool is_final) override {
    v1::PolicyEntry entry;
    entry.set_context(context);
    entry.set_spec(spec);
    entry.set_value(value);
    entry.set_is_final(is_final);
    return client_.put(entry).map([](const auto&) {});
  }

 private:
  static v1::PolicyAuthorisation to_message(const RightsQuestion& question) {
    v1::PolicyAuthorisation asked;
    asked.set_principal(question.principal);
    asked.set_action(question.action);
    asked.set_resource(question.resource);
    asked.set_context(question.context);
    return asked;
  }
  Result<RightsDecision> decided(Result<v1::PolicyDecision> decision) {
    if (!decision) {
      note_away(decision.error());
      return fail(std::move(decision.error()));
    }
    return RightsDecision{decision->allowed(),
                          {decision->reasons().begin(), decision->reasons().end()},
                          {decision->errors().begin(), decision->errors().end()},
                          decision->revision()};
  }
  void note_away(const Error& error) {
    if (error.code == Code::kUnavailable || error.code == Code::kDeadlineExceeded)
      away_until_.store(clock_.now() + kLeftAloneFor, std::memory_order_relaxed);
  }

  const hector::PolicyClient client_;
  const Clock& clock_;
  const std::string capsule_;
  std::atomic<TimePoint> away_until_{TimePoint{}};
};

}  // namespace

std::unique_ptr<PolicyService> make_policy_client(Target& target, const ClientContext& context) {
  return std::make_unique<RemotePolicy>(target, context);
}

}  // namespace hector
