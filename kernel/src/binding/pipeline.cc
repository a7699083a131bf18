#include "binding/pipeline.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

#include "hector/message_calls.h"
#include "party/target.h"

namespace hector {

using kernel::v1::BindingId;
using kernel::v1::Empty;
using kernel::v1::PreparePart;

namespace {

class Pipeline {
 public:
  Pipeline(Core& core, const Services& services, const BindRequest& request)
      : core_(core), finder_(core, services), request_(request) {}

  Result<BindingRecord> run(bool explain_only) {
    auto type = HECTOR_TRY(core_.types.binding(request_.type));
    formation_.type = std::move(type);
    if (auto done = resolve(); !done) return fail(staged("resolve", done.error()));
    if (auto done = conformance(); !done) return fail(staged("conformance", done.error()));
    if (auto done = authorise(); !done) return fail(staged("authorise", done.error()));
    if (auto done = finder_.check_prices(formation_); !done)
      return fail(staged("price", done.error()));
    if (!explain_only) name_sessions();
    if (auto done = negotiate(); !done) return fail(staged("negotiate", done.error()));
    BindingRecord record{formation_, finder_.describe(formation_, refused_, parts_)};
    if (explain_only) return record;
    if (auto done = reserve(); !done) {
      release(core_, formation_);
      return fail(staged("reserve", done.error()));
    }
    if (auto done = commit(); !done) {
      release(core_, formation_);
      return fail(staged("commit", done.error()));
    }
    return record;
  }

 private:
  Error staged(const std::string& stage, Error error) const {
    error.message = fmt::format("{} of {}: {}", stage, request_.type, error.message);
    return error;
  }
  const hector::type::v1::Binding& type() const { return formation_.type; }

  Status resolve() {
    formation_.parties.resize(static_cast<std::size_t>(type().roles_size()));
    refused_.resize(formation_.parties.size());
    std::vector<std::string> reasons;
    for (const auto& party : request_.parties) {
      const int role = types::role_position(type(), party.role);
      if (role < 0) {
        std::vector<std::string> names;
        for (const auto& each : type().roles()) names.push_back(each.name());
        return fail(Code::kInvalidArgument, fmt::format("there is no role '{}'; roles are {}",
                                                        party.role, fmt::join(names, ", ")));
      }
      if (party.who.empty()) continue;
      auto reference = finder_.find(party.who);
      if (!reference) {
        reasons.push_back(fmt::format("role '{}', party '{}': {}", party.role, party.who,
                                      reference.error().message));
        code_ = reference.error().code;
        continue;
      }
      formation_.parties[static_cast<std::size_t>(role)].emplace_back(Candidate{
          std::move(*reference), "given as '" + party.who.substr(0, 40) + "'", nullptr, 0});
    }
    for (int r = 0; r < type().roles_size(); ++r) {
      auto& members = formation_.parties[static_cast<std::size_t>(r)];
      if (members.empty()) trade(r, reasons);
      check_cardinality(r, reasons);
    }
    if (!reasons.empty())
      return fail(Error{code_, "not every role has its parties", {}, {}, std::move(reasons)});
    return {};
  }

  void trade(int r, std::vector<std::string>& reasons) {
    auto chosen = finder_.trade(formation_, r, {}, refused_[static_cast<std::size_t>(r)]);
    if (!chosen) {
      if (type().roles(r).optional()) return;
      reasons.push_back(
          fmt::format("role '{}': {}", type().roles(r).name(), chosen.error().message));
      code_ = chosen.error().code;
    } else if (*chosen) {
      formation_.parties[static_cast<std::size_t>(r)].push_back(std::move(**chosen));
    }
  }

  void check_cardinality(int r, std::vector<std::string>& reasons) {
    const auto& role = type().roles(r);
    const std::size_t count = formation_.members(r);
    const auto max =
        role.members_max() < 0 ? SIZE_MAX : static_cast<std::size_t>(role.members_max());
    if (count == 0 && role.optional()) return;
    if (count >= role.members_min() && count <= max) return;
    if (count == 0 && !reasons.empty() &&
        reasons.back().find("'" + role.name() + "'") != std::string::npos)
      return;
    std::string why =
        count == 0
            ? (!finder_.has_trader() ? "no party given, and there is no Trading service to ask"
               : role.trade().empty()
                   ? fmt::format("no party given, and nobody offers {}", role.interface_id())
                   : fmt::format("nobody offers {} with {}", role.interface_id(),
                                 finder_.with_counts(formation_, role.trade())))
            : fmt::format("{} parties given, {}..{} expected", count, role.members_min(),
                          role.members_max() < 0 ? "*" : std::to_string(role.members_max()));
    for (const auto& each : refused_[static_cast<std::size_t>(r)]) why += "; refused " + each;
    reasons.push_back(fmt::format("role '{}': {}", role.name(), why));
    if (code_ == Code::kOk) code_ = count == 0 ? Code::kNotFound : Code::kInvalidArgument;
  }

  /// Calls take(role, candidate) for every party.
  template <class Take>
  Status each_party(Take take) {
    for (std::size_t r = 0; r < formation_.parties.size(); ++r) {
      for (auto& member : formation_.parties[r]) {
        if (Status done = take(static_cast<int>(r), *member); !done) return done;
      }
    }
    return {};
  }

  Status conformance() {
    types::Verdict all;
    auto done = each_party([&](int role, Candidate& candidate) -> Status {
      if (!candidate.interface) {
        if (auto known = finder_.know(candidate); !known) return known;
      }
      auto verdict = HECTOR_TRY(finder_.judge(formation_, role, candidate));
      all.reasons.insert(all.reasons.end(), verdict.reasons.begin(), verdict.reasons.end());
      return {};
    });
    if (!done) return done;
    if (!all.conforms()) return fail(types::incompatible("a party cannot play its role", all));
    return {};
  }

  Status authorise() {
    std::vector<std::string> reasons;
    static_cast<void>(each_party([&](int role, const Candidate& candidate) -> Status {
      if (auto why = finder_.authorise(formation_, role, candidate))
        reasons.push_back(std::move(*why));
      return {};
    }));
    if (!reasons.empty())
      return fail(Error{Code::kPermissionDenied,
                        "a party's principal may not play its role",
                        {},
                        {},
                        std::move(reasons)});
    return {};
  }

  void name_sessions() {
    formation_.id = core_.options.random->next();
    static_cast<void>(each_party([&](int, Candidate& candidate) -> Status {
      candidate.session = core_.options.random->next();
      return {};
    }));
  }

  Status negotiate() {
    std::vector<std::string> reasons;
    for (const auto& [role, member] : formation_.places()) {
      auto part = finder_.part_of(formation_, role, member);
      if (part) {
        parts_.push_back(std::move(*part));
      } else {
        reasons.insert(reasons.end(), part.error().reasons.begin(), part.error().reasons.end());
      }
    }
    if (!reasons.empty())
      return fail(
          Error{Code::kUnavailable, "a channel has no protocol", {}, {}, std::move(reasons)});
    return {};
  }

  Status reserve() {
    std::size_t at = 0;
    for (const auto& [role, member] : formation_.places()) {
      const Reference& reference =
          formation_.parties[static_cast<std::size_t>(role)][member]->reference;
      auto done = finder_.tell<Empty>(reference, CoordinatorOperation::kPrepare, parts_[at++]);
      if (done) continue;
      Error error = done.error();
      error.message = fmt::format("'{}' as role '{}': {}", reference.object,
                                  type().roles(role).name(), error.message);
      return fail(std::move(error));
    }
    return {};
  }

  Status commit() {
    BindingId id;
    id.set_binding(formation_.id);
    for (const auto& reference : formation_.capsules()) {
      if (auto done = finder_.tell<Empty>(reference, CoordinatorOperation::kCommit, id); !done)
        return fail(done.error());
    }
    return {};
  }

  Core& core_;
  PartyFinder finder_;
  const BindRequest& request_;
  Formation formation_;
  std::vector<std::vector<std::string>> refused_;
  std::vector<PreparePart> parts_;  ///< of formation_.places()
  Code code_ = Code::kOk;
};

}  // namespace

Result<BindingRecord> instantiate(Core& core, const Services& services, const BindRequest& request,
                                  bool explain_only) {
  return Pipeline(core, services, request).run(explain_only);
}

void release(Core& core, const Formation& formation, const std::string& why, Code code) {
  constexpr Duration kReleaseWithin = std::chrono::seconds(1);
  struct Joined {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t left = 0;
  };
  const auto joined = std::make_shared<Joined>();
  BindingId id;
  id.set_binding(formation.id);
  id.set_why(why);
  id.set_code(static_cast<std::uint32_t>(code));
  for (const auto& reference :
       formation.capsules()) {  // all at once: one that is gone costs the others nothing
    if (reference.capsule_id == core.capsule_id) {
      close_parties(core, formation.id, why, code);
      continue;
    }
    auto target = coordinator_of(core, reference);
    if (!target) continue;
    auto& call = CallbackCall::make([joined, keep = *target](Call&) {
      const std::lock_guard lock(joined->mutex);
      --joined->left;
      joined->changed.notify_all();
    });
    call.header.operation_name = coordinator_operation_name(CoordinatorOperation::kRelease);
    call.header.deadline = core.options.clock->now() + kReleaseWithin;
    call.request = write_message(id);
    {
      const std::lock_guard lock(joined->mutex);
      ++joined->left;
    }
    (*target)->start(call);
  }
  const TimePoint until = core.options.clock->now() + kReleaseWithin;
  std::unique_lock lock(joined->mutex);
  while (joined->left != 0) {
    lock.unlock();
    const bool is_helping = core.options.executor->help(until);
    lock.lock();
    if (!is_helping) break;
  }
  joined->changed.wait_for(lock, kReleaseWithin + std::chrono::milliseconds(200),
                           [&] { return joined->left == 0; });
}

}  // namespace hector
