#include "binding/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <set>

#include "binding/coordinator.h"
#include "binding/policy.h"
#include "binding/target.h"
#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "hector/typed.h"
#include "runtime/reference_model.h"
#include "types/conformance.h"

namespace hector {

using kernel::v1::BindingId;
using kernel::v1::Empty;
using kernel::v1::PreparePart;

std::string id_text(std::uint64_t id) { return fmt::format("{:016x}", id); }

namespace {

/// "foreign:PROTOCOL:ADDRESS/NAME/MAJOR", as in foreign:grpc:127.0.0.1:50051/diary.News/1: a server of another system, of an Interface known here.
Result<Reference> foreign_reference(Core& core, const std::string& who) {
  const auto protocol = who.find(':', 8);
  const auto major = who.rfind('/');
  const auto name = major == std::string::npos || major == 0 ? std::string::npos : who.rfind('/', major - 1);
  if (protocol == std::string::npos || name == std::string::npos || name < protocol) {
    return fail(Code::kInvalidArgument, fmt::format("'{}' is not foreign:PROTOCOL:ADDRESS/NAME/MAJOR, as in foreign:grpc:127.0.0.1:50051/diary.News/1", who));
  }
  auto interface = core.types.interface(who.substr(name + 1));
  if (!interface) return fail(interface.error());
  Reference reference;
  reference.capsule = "foreign";
  reference.interface_id = (*interface)->id();
  reference.identity = (*interface)->identity();
  reference.profiles = {{who.substr(8, protocol - 8), who.substr(protocol + 1, name - protocol - 1)}};
  return reference;
}

}  // namespace

Result<Reference> resolve_reference(Core& core, const Services& services, std::string_view who) {
  if (who.starts_with("hector:")) return Reference::from_text(who);
  if (who.starts_with("foreign:")) return foreign_reference(core, std::string(who));
  if (const OfferPtr offer = core.offers.find_object(std::string(who))) return core.reference_of(*offer);
  if (services.naming == nullptr) {
    return fail(Code::kNotFound, fmt::format("no Object '{}' in capsule '{}', and it has no Naming service to ask", who, core.options.capsule));
  }
  auto found = services.naming->lookup(std::string(who));
  if (!found && found.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, fmt::format("no Object '{}' in capsule '{}' nor in Naming; `hector get objects` lists what there is", who, core.options.capsule));
  }
  return found;
}

namespace {

struct Candidate {
  Reference reference;
  std::string how;
  types::CompiledPtr interface;
};

class Pipeline {
 public:
  Pipeline(Core& core, const Services& services, const BindRequest& request) : core_(core), services_(services), request_(request) {}

  Result<BindingRecord> run(bool explain_only) {
    auto type = core_.types.binding(request_.type);
    if (!type) return fail(type.error());
    type_ = std::move(*type);
    if (auto done = resolve(); !done) return fail(staged("resolve", done.error()));
    if (auto done = conformance(); !done) return fail(staged("conformance", done.error()));
    if (auto done = authorise(); !done) return fail(staged("authorise", done.error()));
    if (auto done = negotiate(); !done) return fail(staged("negotiate", done.error()));
    BindingRecord record = describe();
    if (explain_only) return record;
    record.id = core_.options.random->next();
    record.explained.set_binding(id_text(record.id));
    if (auto done = reserve(record); !done) {
      release(core_, record);
      return fail(staged("reserve", done.error()));
    }
    if (auto done = commit(record); !done) {
      release(core_, record);
      return fail(staged("commit", done.error()));
    }
    return record;
  }

 private:
  Error staged(const std::string& stage, Error error) const {
    error.message = fmt::format("{} of {}: {}", stage, request_.type, error.message);
    return error;
  }

  // --- resolve -------------------------------------------------------------------------------------------------------------------

  Status resolve() {
    parties_.resize(static_cast<std::size_t>(type_.roles_size()));
    refused_.resize(parties_.size());
    std::vector<std::string> reasons;
    for (const auto& party : request_.parties) {
      const int role = types::role_position(type_, party.role);
      if (role < 0) {
        std::vector<std::string> names;
        for (const auto& each : type_.roles()) names.push_back(each.name());
        return fail(Code::kInvalidArgument, fmt::format("there is no role '{}'; roles are {}", party.role, fmt::join(names, ", ")));
      }
      if (party.who.empty()) continue;
      auto reference = full_reference(party.who);
      if (!reference) {
        reasons.push_back(fmt::format("role '{}', party '{}': {}", party.role, party.who, reference.error().message));
        code_ = reference.error().code;
        continue;
      }
      parties_[static_cast<std::size_t>(role)].push_back({std::move(*reference), "given as '" + party.who.substr(0, 40) + "'", nullptr});
    }
    for (int r = 0; r < type_.roles_size(); ++r) {
      auto& members = parties_[static_cast<std::size_t>(r)];
      if (members.empty()) find_by_trade(r, reasons);
      check_cardinality(r, reasons);
    }
    if (!reasons.empty()) return fail(Error{code_, "not every role has its parties", {}, {}, std::move(reasons)});
    return {};
  }

  Result<Reference> full_reference(const std::string& who) {
    auto reference = resolve_reference(core_, services_, who);
    if (!reference || reference->offer != 0 || reference->is_foreign()) return reference;
    auto described = describe_remote(core_, *reference);
    if (!described) return fail(described.error());
    return from_model(described->reference());
  }

  /// "$attendees" and "$attendee" stand for the number of members of role attendee.
  std::string with_counts(std::string text) const {
    std::vector<int> roles(static_cast<std::size_t>(type_.roles_size()));
    for (std::size_t r = 0; r < roles.size(); ++r) roles[r] = static_cast<int>(r);
    std::sort(roles.begin(), roles.end(), [&](int a, int b) { return type_.roles(a).name().size() > type_.roles(b).name().size(); });
    for (const int r : roles) {
      const std::string count = std::to_string(parties_[static_cast<std::size_t>(r)].size());
      for (const std::string& name : {"$" + type_.roles(r).name() + "s", "$" + type_.roles(r).name()}) {
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) text.replace(at, name.size(), count);
      }
    }
    return text;
  }

  void find_by_trade(int r, std::vector<std::string>& reasons) {
    const auto& role = type_.roles(r);
    if (services_.trading == nullptr) return;
    TradeQuery query{role.interface_id(), with_counts(role.trade()), role.prefer(), 50};
    auto offers = services_.trading->query(query);
    if (!offers) {
      if (!role.optional()) {
        reasons.push_back(fmt::format("role '{}': {}", role.name(), offers.error().message));
        code_ = offers.error().code;
      }
      return;
    }
    auto required = core_.types.interface(role.interface_id());
    for (const auto& offer : *offers) {
      const std::string how = fmt::format("traded: {}{}{}", query.constraint.empty() ? "any offer of " + query.type : query.constraint,
                                          role.prefer().empty() ? "" : ", " + role.prefer(), properties_text(offer));
      auto interface = interface_of(offer.reference);
      if (!interface) {
        refused_[static_cast<std::size_t>(r)].push_back(fmt::format("{}: {}", offer.reference.object, interface.error().message));
        continue;
      }
      if (required) {
        const auto known = core_.types.verdict(*interface, type_, static_cast<std::uint32_t>(r), *required);
        const auto& verdict = *known;
        if (!verdict || !verdict->conforms()) {
          refused_[static_cast<std::size_t>(r)].push_back(fmt::format("{}: does not conform: {}", offer.reference.object,
                                                                      verdict ? verdict->reasons.front().text : verdict.error().message));
          continue;
        }
      }
      parties_[static_cast<std::size_t>(r)].push_back({offer.reference, how, *interface});
      break;
    }
    const auto& chosen = parties_[static_cast<std::size_t>(r)];
    bool is_later = false;
    for (const auto& offer : *offers) {
      if (is_later) refused_[static_cast<std::size_t>(r)].push_back(fmt::format("{}{}: less preferred", offer.reference.object, properties_text(offer)));
      is_later = is_later || (!chosen.empty() && offer.reference.offer == chosen.front().reference.offer);
    }
  }

  static std::string properties_text(const TradedOffer& offer) {
    std::string text;
    for (const auto& [name, value] : offer.properties) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
    return text.empty() ? text : " (" + text + ")";
  }

  void check_cardinality(int r, std::vector<std::string>& reasons) {
    const auto& role = type_.roles(r);
    const std::size_t count = parties_[static_cast<std::size_t>(r)].size();
    const auto max = role.members_max() < 0 ? SIZE_MAX : static_cast<std::size_t>(role.members_max());
    if (count == 0 && role.optional()) return;
    if (count >= role.members_min() && count <= max) return;
    if (count == 0 && !reasons.empty() && reasons.back().find("'" + role.name() + "'") != std::string::npos) return;
    std::string why = count == 0 ? (services_.trading == nullptr ? "no party given, and there is no Trading service to ask"
                                    : role.trade().empty()       ? fmt::format("no party given, and nobody offers {}", role.interface_id())
                                                                 : fmt::format("nobody offers {} with {}", role.interface_id(), with_counts(role.trade())))
                                 : fmt::format("{} parties given, {}..{} expected", count, role.members_min(), role.members_max() < 0 ? "*" : std::to_string(role.members_max()));
    for (const auto& each : refused_[static_cast<std::size_t>(r)]) why += "; refused " + each;
    reasons.push_back(fmt::format("role '{}': {}", role.name(), why));
    if (code_ == Code::kOk) code_ = count == 0 ? Code::kNotFound : Code::kInvalidArgument;
  }

  Result<types::CompiledPtr> interface_of(const Reference& reference) {
    if (auto known = core_.types.interface(reference.interface_id); known && (*known)->identity() == reference.identity) return *known;
    if (reference.capsule_id == core_.capsule_id) {
      const OfferPtr offer = core_.offers.find(reference.offer);
      if (!offer) return fail(Code::kUnavailable, "it is retired");
      return offer->interface;
    }
    return describe_offer(core_, reference);
  }

  // --- conformance, authorise, negotiate --------------------------------------------------------------------------------------------

  Status conformance() {
    types::Verdict all;
    for (int r = 0; r < type_.roles_size(); ++r) {
      auto& members = parties_[static_cast<std::size_t>(r)];
      for (auto& member : members) {
        if (!member.interface) {
          auto interface = interface_of(member.reference);
          if (!interface) return fail(interface.error());
          member.interface = *interface;
        }
        auto required = core_.types.interface(type_.roles(r).interface_id());
        if (!required) return fail(required.error());
        const auto known = core_.types.verdict(member.interface, type_, static_cast<std::uint32_t>(r), *required);
        const auto& verdict = *known;
        if (!verdict) return fail(verdict.error());
        for (auto reason : verdict->reasons) {
          reason.text = fmt::format("'{}' as role '{}': {}", member.reference.object, type_.roles(r).name(), reason.text);
          all.reasons.push_back(std::move(reason));
        }
      }
    }
    if (!all.conforms()) return fail(types::incompatible("a party cannot play its role", all));
    return {};
  }

  Status authorise() {
    std::vector<std::string> reasons;
    for (int r = 0; r < type_.roles_size(); ++r) {
      const auto allowed = ask_policy(core_.options.policy, type_.name(), type_.roles(r).name(), "principals");
      if (allowed.key.empty()) continue;
      for (const auto& member : parties_[static_cast<std::size_t>(r)]) {
        if (std::find(allowed.values.begin(), allowed.values.end(), member.reference.principal) != allowed.values.end()) continue;
        reasons.push_back(fmt::format("'{}' is of principal '{}'; policy '{}' allows {} to play '{}'", member.reference.object, member.reference.principal,
                                      allowed.key, fmt::join(allowed.values, ", "), type_.roles(r).name()));
      }
    }
    if (!reasons.empty()) return fail(Error{Code::kPermissionDenied, "a party's principal may not play its role", {}, {}, std::move(reasons)});
    return {};
  }

  struct PlannedChannel {
    int from_role, to_role;
    std::size_t from_member, to_member;
    ProtocolChoice choice;
  };

  Status negotiate() {
    std::set<std::pair<int, int>> pairs;
    for (const auto& interaction : type_.interactions()) {
      pairs.emplace(types::role_position(type_, interaction.from()), types::role_position(type_, interaction.to()));
    }
    std::vector<std::string> reasons;
    for (const auto& [from, to] : pairs) {
      for (std::size_t f = 0; f < parties_[static_cast<std::size_t>(from)].size(); ++f) {
        for (std::size_t t = 0; t < parties_[static_cast<std::size_t>(to)].size(); ++t) {
          auto choice = choose(parties_[static_cast<std::size_t>(from)][f].reference, parties_[static_cast<std::size_t>(to)][t].reference, to);
          if (choice) {
            channels_.push_back({from, to, f, t, std::move(*choice)});
            continue;
          }
          std::string text = fmt::format("{} to {}: {}", type_.roles(from).name(), parties_[static_cast<std::size_t>(to)][t].reference.object, choice.error().message);
          for (const auto& each : choice.error().reasons) text += "; " + each;
          reasons.push_back(std::move(text));
        }
      }
    }
    if (!reasons.empty()) return fail(Error{Code::kUnavailable, "a channel has no protocol", {}, {}, std::move(reasons)});
    return {};
  }

  Result<ProtocolChoice> choose(const Reference& from, const Reference& to, int to_role) const {
    const auto order = ask_policy(core_.options.policy, type_.name(), type_.roles(to_role).name(), "protocols");
    const bool may_be_local = order.values.empty() || order.key.find('*') != std::string::npos ||
                              std::find(order.values.begin(), order.values.end(), kInProcess) != order.values.end();
    if (from.capsule_id == to.capsule_id && may_be_local) return ProtocolChoice{{kInProcess, from.capsule}, "both ends are in one capsule", {}};
    std::vector<std::string> here;
    if (from.capsule_id == core_.capsule_id) {
      here = core_.protocols.names();
    } else {
      for (const auto& profile : from.profiles) here.push_back(profile.protocol);
    }
    return choose_protocol(core_.options.policy, type_.name(), type_.roles(to_role).name(), to.profiles, here, {});
  }

  BindingRecord describe() const {
    BindingRecord record;
    record.type = type_;
    std::set<std::uint64_t> seen;
    for (int r = 0; r < type_.roles_size(); ++r) {
      for (const auto& member : parties_[static_cast<std::size_t>(r)]) {
        auto* party = record.explained.add_parties();
        party->set_role(type_.roles(r).name());
        party->set_object(member.reference.is_foreign() ? member.reference.interface_id : member.reference.object);
        party->set_capsule(member.reference.capsule);
        party->set_interface_id(member.reference.interface_id);
        party->set_how(member.how);
        if (&member == &parties_[static_cast<std::size_t>(r)].front()) {
          for (const auto& each : refused_[static_cast<std::size_t>(r)]) party->add_refused(each);
        }
        if (!member.reference.is_foreign() && seen.insert(member.reference.capsule_id).second) record.capsules.push_back(member.reference);
      }
    }
    for (const auto& planned : channels_) {
      auto* channel = record.explained.add_channels();
      std::string names;
      for (const auto& interaction : type_.interactions()) {
        if (interaction.from() == type_.roles(planned.from_role).name() && interaction.to() == type_.roles(planned.to_role).name()) {
          names += (names.empty() ? "" : ", ") + interaction.name();
        }
      }
      channel->set_interactions(names);
      channel->set_from(party_of(planned.from_role, planned.from_member).reference.object);
      channel->set_to(party_of(planned.to_role, planned.to_member).reference.object);
      channel->set_protocol(planned.choice.profile.protocol);
      channel->set_address(planned.choice.profile.address);
      channel->set_why(planned.choice.why);
      for (const auto& each : planned.choice.refused) channel->add_refused(each);
    }
    return record;
  }

  const Candidate& party_of(int role, std::size_t member) const { return parties_[static_cast<std::size_t>(role)][member]; }

  // --- reserve, commit ----------------------------------------------------------------------------------------------------------------

  Status reserve(const BindingRecord& record) {
    PreparePart common;
    common.set_binding(record.id);
    *common.mutable_type() = type_;
    common.set_principal(core_.options.principal);
    for (int r = 0; r < type_.roles_size(); ++r) {
      auto* role = common.add_roles();
      role->set_name(type_.roles(r).name());
      for (const auto& member : parties_[static_cast<std::size_t>(r)]) {
        *role->add_members() = to_model(member.reference);
        common.add_sessions(core_.options.random->next());
        *common.add_interfaces() = member.interface->typed_model();
      }
    }
    int party = 0;
    for (int r = 0; r < type_.roles_size(); ++r) {
      for (std::size_t m = 0; m < parties_[static_cast<std::size_t>(r)].size(); ++m, ++party) {
        if (party_of(r, m).reference.is_foreign()) continue;  // nothing to reserve there
        PreparePart part = common;
        part.set_role(type_.roles(r).name());
        part.set_member(static_cast<std::uint32_t>(m));
        part.set_offer(party_of(r, m).reference.offer);
        part.set_session(common.sessions(party));
        for (const auto& planned : channels_) {
          if (planned.from_role != r || planned.from_member != m) continue;
          auto* channel = part.add_channels();
          channel->set_role(type_.roles(planned.to_role).name());
          channel->set_member(static_cast<std::uint32_t>(planned.to_member));
          *channel->mutable_party() = to_model(party_of(planned.to_role, planned.to_member).reference);
          channel->mutable_profile()->set_protocol(planned.choice.profile.protocol);
          channel->mutable_profile()->set_address(planned.choice.profile.address);
          channel->set_why(planned.choice.why);
        }
        auto done = tell<Empty>(party_of(r, m).reference, CoordinatorOperation::kPrepare, part);
        if (!done) {
          Error error = done.error();
          error.message = fmt::format("'{}' as role '{}': {}", party_of(r, m).reference.object, type_.roles(r).name(), error.message);
          return fail(std::move(error));
        }
      }
    }
    return {};
  }

  Status commit(const BindingRecord& record) {
    BindingId id;
    id.set_binding(record.id);
    for (const auto& reference : record.capsules) {
      if (auto done = tell<Empty>(reference, CoordinatorOperation::kCommit, id); !done) return fail(done.error());
    }
    return {};
  }

  template <class Out, class In>
  Result<Out> tell(const Reference& reference, CoordinatorOperation operation, const In& request) {
    auto target = coordinator(reference);
    if (!target) return fail(target.error());
    return call_and_wait<Out>(**target, *core_.options.clock, kByName, coordinator_operation_name(operation), request);
  }
  Result<std::shared_ptr<Target>> coordinator(const Reference& reference) {
    if (auto known = coordinators_.find(reference.capsule_id); known != coordinators_.end()) return known->second;
    Result<std::shared_ptr<Target>> made = fail(Code::kInternal, "");
    if (reference.capsule_id == core_.capsule_id) {
      made = std::make_shared<LocalTarget>(core_, core_.offers.find_object(kCoordinatorName));
    } else {
      made = coordinator_of(core_, reference);
    }
    if (made) coordinators_.emplace(reference.capsule_id, *made);
    return made;
  }

  Core& core_;
  const Services& services_;
  const BindRequest& request_;
  hector::type::v1::Binding type_;
  std::vector<std::vector<Candidate>> parties_;
  std::vector<std::vector<std::string>> refused_;
  std::vector<PlannedChannel> channels_;
  std::map<std::uint64_t, std::shared_ptr<Target>> coordinators_;
  Code code_ = Code::kOk;
};

}  // namespace

Result<BindingRecord> instantiate(Core& core, const Services& services, const BindRequest& request, bool explain_only) {
  return Pipeline(core, services, request).run(explain_only);
}

void release(Core& core, const BindingRecord& record) {
  constexpr Duration kReleaseWithin = std::chrono::seconds(1);
  struct Joined {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t left = 0;
  };
  const auto joined = std::make_shared<Joined>();
  BindingId id;
  id.set_binding(record.id);
  for (const auto& reference : record.capsules) {  // all at once: one that is gone costs the others nothing
    if (reference.capsule_id == core.capsule_id) {
      close_parties(core, record.id, "it was released");
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
  joined->changed.wait_for(lock, kReleaseWithin + std::chrono::milliseconds(200), [&] { return joined->left == 0; });
}

}  // namespace hector
