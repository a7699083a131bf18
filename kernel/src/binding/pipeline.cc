#include "binding/pipeline.h"

#include <fmt/format.h>

#include <condition_variable>

#include "binding/party_finder.h"
#include "hector/check.h"
#include "party/closing.h"
#include "party/target.h"

namespace hector {

using kernel::v1::Empty;
using kernel::v1::PreparePart;

namespace {

class Pipeline {
 public:
  Pipeline(Core& core, const Services& services, const BindRequest& request)
      : core_(core), finder_(core, services), request_(request) {}

  Result<BindingRecord> run(Instantiate mode) {
    auto type = HECTOR_TRY(core_.types.binding(request_.type));
    formation_ = Formation(std::move(type));
    HECTOR_TRY(staged("resolve", resolve()));
    HECTOR_TRY(staged("conformance", conformance()));
    HECTOR_TRY(staged("authorise", authorise()));
    HECTOR_TRY(staged("price", finder_.check_prices(formation_)));
    if (mode == Instantiate::kNow) name_sessions();
    HECTOR_TRY(staged("negotiate", negotiate()));
    BindingRecord record{formation_, finder_.describe(formation_, refused_, parts_),
                         request_.initiator};
    if (mode == Instantiate::kExplainOnly) return record;
    Status done = staged("reserve", reserve());
    if (done) done = staged("commit", commit());
    if (done) return record;
    release(core_, formation_);
    return fail(std::move(done.error()));
  }

 private:
  Status staged(const std::string& stage, Status done) const {
    if (!done)
      done.error().message =
          fmt::format("{} of {}: {}", stage, request_.type, done.error().message);
    return done;
  }

  // --- resolve

  Status resolve() {
    refused_.resize(formation_.roles().size());
    for (const auto& party : request_.parties) {
      const auto role = HECTOR_TRY(formation_.role_of(party.role));
      if (!party.who.empty()) find(role, party);
    }
    for (const RoleIndex role : formation_.roles()) {
      if (formation_.members(role).empty()) trade(role);
      check_cardinality(role);
    }
    if (reasons_.empty()) return {};
    HECTOR_CHECK(code_ != Code::kOk, "a party is missing for no reason");
    return fail(Error{code_, "not every role has its parties"}.with_reasons(std::move(reasons_)));
  }

  void refuse(Code code, std::string reason) {
    HECTOR_CHECK(code != Code::kOk, "a party is refused without an error");
    reasons_.push_back(std::move(reason));
    code_ = code;
  }

  void find(RoleIndex role, const Party& party) {
    auto reference = finder_.find(party.who);
    if (!reference)
      return refuse(reference.error().code, fmt::format("role '{}', party '{}': {}", party.role,
                                                        party.who, reference.error().message));
    formation_.add(role, Candidate{std::move(*reference),
                                   "given as '" + party.who.substr(0, 40) + "'", nullptr, 0});
  }

  void trade(RoleIndex role) {
    HECTOR_CHECK(role < refused_.size(), "a role is traded for that the Binding type has not");
    auto traded = finder_.trade(formation_, role, {});
    if (!traded) {
      if (formation_.role(role).optional()) return;
      return refuse(traded.error().code,
                    fmt::format("role '{}': {}", formation_.name(role), traded.error().message));
    }
    refused_[role] = std::move(traded->refused);
    if (traded->chosen) formation_.add(role, std::move(*traded->chosen));
  }

  void check_cardinality(RoleIndex index) {
    const auto& role = formation_.role(index);
    const std::size_t count = formation_.count(index);
    const auto max = formation_.count_max(index);
    if (count == 0 && role.optional()) return;
    if (count >= role.members_min() && (!max || count <= *max)) return;
    const bool is_said = count == 0 && !reasons_.empty() &&
                         reasons_.back().find("'" + role.name() + "'") != std::string::npos;
    if (is_said) return;
    std::string why = count == 0
                          ? why_nobody(role)
                          : fmt::format("{} parties given, {}..{} expected", count,
                                        role.members_min(), max ? std::to_string(*max) : "*");
    for (const auto& each : refused_[index]) why += "; refused " + each;
    const Code code = count == 0 ? Code::kNotFound : Code::kInvalidArgument;
    refuse(code_ == Code::kOk ? code : code_, fmt::format("role '{}': {}", role.name(), why));
  }

  std::string why_nobody(const hector::type::v1::Role& role) const {
    if (!finder_.has_trader()) return "no party given, and there is no Trading service to ask";
    if (role.trade().empty())
      return fmt::format("no party given, and nobody offers {}", role.interface_id());
    return fmt::format("nobody offers {} with {}", role.interface_id(),
                       PartyFinder::with_counts(formation_, role.trade()));
  }

  // --- conformance, authorise

  /// Calls take(role, candidate) for every party, foreign servers among them.
  template <class Take>
  Status each_party(Take take) {
    for (const RoleIndex role : formation_.roles()) {
      const auto count = static_cast<std::uint32_t>(formation_.members(role).size());
      for (std::uint32_t m = 0; m < count; ++m)
        HECTOR_TRY(take(role, formation_.at({role, MemberIndex(m)})));
    }
    return {};
  }

  Status conformance() {
    Conformance all;
    HECTOR_TRY(each_party([&](RoleIndex role, Candidate& candidate) -> Status {
      if (!candidate.interface) HECTOR_TRY(finder_.know(candidate));
      const auto found = HECTOR_TRY(finder_.judge(formation_, role, candidate));
      all.findings.insert(all.findings.end(), found.findings.begin(), found.findings.end());
      return {};
    }));
    if (all.conforms()) return {};
    return fail(types::incompatible("a party cannot play its role", all));
  }

  Status authorise() {
    std::vector<std::string> reasons;
    HECTOR_TRY(each_party([&](RoleIndex role, const Candidate& candidate) -> Status {
      if (auto why = finder_.authorise(formation_, role, candidate))
        reasons.push_back(std::move(*why));
      return {};
    }));
    if (!reasons.empty())
      return fail(Error::permission_denied("a party's principal may not play its role")
                      .with_reasons(std::move(reasons)));
    const auto missing = finder_.missing_rights(formation_, request_.initiator);
    return missing.empty() ? Status() : fail(denied(missing));
  }

  // --- negotiate

  void name_sessions() {
    HECTOR_CHECK(formation_.id == 0, "a Binding gets a second id");
    formation_.id = core_.options.random->next();
    static_cast<void>(each_party([&](RoleIndex, Candidate& candidate) -> Status {
      candidate.session = core_.options.random->next();
      return {};
    }));
  }

  Status negotiate() {
    std::vector<std::string> reasons;
    for (const Place place : formation_.places()) {
      auto part = finder_.part_of(formation_, place);
      if (part) {
        parts_.push_back(std::move(*part));
      } else {
        reasons.insert(reasons.end(), part.error().reasons.begin(), part.error().reasons.end());
      }
    }
    if (reasons.empty()) return {};
    return fail(Error::unavailable("a channel has no protocol").with_reasons(std::move(reasons)));
  }

  // --- reserve, commit

  Status reserve() {
    HECTOR_CHECK(formation_.id != 0, "parties are reserved for a Binding without an id");
    const auto places = formation_.places();
    HECTOR_CHECK(places.size() == parts_.size(), "a party has no part to prepare");
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Reference& reference = formation_.at(places[i]).reference;
      auto done =
          finder_.coordinators().tell(reference, CoordinatorOperations::kPrepare, parts_[i]);
      if (done) continue;
      Error error = std::move(done.error());
      error.message = fmt::format("'{}' as role '{}': {}", reference.object,
                                  formation_.name(places[i].role), error.message);
      return fail(std::move(error));
    }
    return {};
  }

  Status commit() {
    kernel::v1::BindingId id;
    id.set_binding(formation_.id);
    for (const auto& reference : formation_.capsules())
      HECTOR_TRY(finder_.coordinators().tell(reference, CoordinatorOperations::kCommit, id));
    return {};
  }

  Core& core_;
  PartyFinder finder_;
  const BindRequest& request_;
  Formation formation_;
  std::vector<std::vector<std::string>> refused_;  ///< by role
  std::vector<PreparePart> parts_;                 ///< of formation_.places()
  std::vector<std::string> reasons_;               ///< why a role has not its parties
  Code code_ = Code::kOk;                          ///< of the last one
};

/// Answers to come, which a simulated world must be helped to bring.
class Outstanding {
 public:
  void expect() {
    const std::lock_guard lock(mutex_);
    ++left_;
  }
  void answered() {
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(left_ != 0, "more answers came than were expected");
    --left_;
    changed_.notify_all();
  }
  /// Until all are there, or for so long.
  void wait(Executor& executor, const Clock& clock, Duration longest) {
    const TimePoint until = clock.now() + longest;
    std::unique_lock lock(mutex_);
    while (left_ != 0) {
      lock.unlock();
      const bool is_helping = executor.help(until);
      lock.lock();
      if (!is_helping) break;
    }
    changed_.wait_for(lock, longest + std::chrono::milliseconds(200), [&] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t left_ = 0;
};

}  // namespace

Result<BindingRecord> instantiate(Core& core, const Services& services, const BindRequest& request,
                                  Instantiate mode) {
  return Pipeline(core, services, request).run(mode);
}

void release(Core& core, const Formation& formation, const ReleaseReason& reason) {
  HECTOR_CHECK(formation.id != 0, "a Binding is released that was only explained");
  /// For all that hold a part of it, at once.
  constexpr Duration kReleaseWithin = std::chrono::seconds(1);
  const auto& clock = *core.options.clock;
  const auto outstanding = std::make_shared<Outstanding>();  // also the answers', which may be late
  kernel::v1::BindingId id;
  id.set_binding(formation.id);
  id.set_why(reason.why);
  id.set_code(static_cast<std::uint32_t>(reason.code));
  for (const auto& capsule : formation.capsules()) {  // all at once: one that is gone costs no time
    if (core.references.is_own(capsule)) {
      close_parties(core, formation.id, reason.why, reason.code);
      continue;
    }
    const auto target = coordinator_of(core, capsule);
    if (!target) continue;
    auto& call = CallbackCall::make([outstanding](Call&) { outstanding->answered(); });
    write_call(call, CoordinatorOperations::kRelease, id, clock.now() + kReleaseWithin);
    outstanding->expect();
    (*target)->start(call);
  }
  outstanding->wait(*core.options.executor, clock, kReleaseWithin);
}

}  // namespace hector
