#include "binding/formation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "call/reference_model.h"
#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "party/target.h"
#include "types/check/conformance.h"
#include "types/check/qos.h"

namespace hector {

using kernel::v1::PreparePart;

std::string id_text(std::uint64_t id) { return fmt::format("{:016x}", id); }

namespace {

/// "foreign:PROTOCOL:ADDRESS/NAME/MAJOR", as in foreign:grpc:127.0.0.1:50051/diary.News/1: a server
/// of another system, of an Interface known here.
Result<Reference> foreign_reference(Core& core, const std::string& who) {
  const auto protocol = who.find(':', 8);
  const auto major = who.rfind('/');
  const auto name =
      major == std::string::npos || major == 0 ? std::string::npos : who.rfind('/', major - 1);
  if (protocol == std::string::npos || name == std::string::npos || name < protocol) {
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is not foreign:PROTOCOL:ADDRESS/NAME/MAJOR, where NAME/MAJOR is "
                            "an Interface, as in diary.News/1",
                            who));
  }
  auto interface = HECTOR_TRY(core.types.interface(who.substr(name + 1)));
  Reference reference;
  reference.capsule = "foreign";
  reference.interface_id = interface->id();
  reference.identity = interface->identity();
  reference.profiles = {
      {who.substr(8, protocol - 8), who.substr(protocol + 1, name - protocol - 1)}};
  return reference;
}

}  // namespace

Result<Reference> resolve_reference(Core& core, const Services& services, std::string_view who) {
  if (who.starts_with("hector:")) return Reference::from_text(who);
  if (who.starts_with("foreign:")) return foreign_reference(core, std::string(who));
  if (const OfferPtr offer = core.offers.find_object(std::string(who)))
    return core.references.of(*offer);
  if (services.naming == nullptr) {
    return fail(Code::kNotFound,
                fmt::format("no Object '{}' in capsule '{}', and it has no Naming service to ask",
                            who, core.options.capsule));
  }
  auto found = services.naming->lookup(std::string(who));
  if (!found && found.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, fmt::format("no Object '{}' in capsule '{}' nor in Naming; "
                                             "`hector get objects` lists what there is",
                                             who, core.options.capsule));
  }
  return found;
}

// --- Formation
// ----------------------------------------------------------------------------------------------

types::View Formation::view() const {
  types::View view;
  for (const auto& members : parties) {
    view.members.push_back(static_cast<std::uint32_t>(members.size()));
    auto& absent = view.absent.emplace_back();
    for (std::uint32_t m = 0; m < members.size(); ++m) {
      if (!members[m]) absent.push_back(m);
    }
  }
  return view;
}

std::size_t Formation::members(int role) const {
  const auto& all = parties[static_cast<std::size_t>(role)];
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const auto& each) { return each.has_value(); }));
}

std::vector<std::pair<int, std::uint32_t>> Formation::places() const {
  std::vector<std::pair<int, std::uint32_t>> list;
  for (std::size_t r = 0; r < parties.size(); ++r) {
    for (std::uint32_t m = 0; m < parties[r].size(); ++m) {
      if (parties[r][m] && !parties[r][m]->reference.is_foreign())
        list.emplace_back(static_cast<int>(r), m);
    }
  }
  return list;
}

std::vector<Reference> Formation::capsules() const {
  std::vector<Reference> list;
  std::set<std::uint64_t> seen;
  for (const auto& [role, member] : places()) {
    const auto& reference = parties[static_cast<std::size_t>(role)][member]->reference;
    if (seen.insert(reference.capsule_id).second) list.push_back(reference);
  }
  return list;
}

// --- who
// ----------------------------------------------------------------------------------------------

Result<Reference> PartyFinder::find(const std::string& who) {
  auto reference = resolve_reference(core_, services_, who);
  if (!reference || reference->offer != 0 || reference->is_foreign()) return reference;
  auto described = HECTOR_TRY(describe_remote(core_, *reference));
  return from_model(described.reference());
}

std::string PartyFinder::with_counts(const Formation& formation, std::string text) const {
  const auto& type = formation.type;
  std::vector<int> roles(static_cast<std::size_t>(type.roles_size()));
  for (std::size_t r = 0; r < roles.size(); ++r) roles[r] = static_cast<int>(r);
  std::sort(roles.begin(), roles.end(), [&](int a, int b) {
    return type.roles(a).name().size() > type.roles(b).name().size();
  });
  for (const int r : roles) {
    const std::string count = std::to_string(formation.members(r));
    for (const std::string& name : {"$" + type.roles(r).name() + "s", "$" + type.roles(r).name()}) {
      for (auto at = text.find(name); at != std::string::npos; at = text.find(name))
        text.replace(at, name.size(), count);
    }
  }
  return text;
}

namespace {

std::string properties_text(const TradedOffer& offer) {
  std::string text;
  for (const auto& [name, value] : offer.properties)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return text.empty() ? text : " (" + text + ")";
}

}  // namespace

Result<std::optional<Candidate>> PartyFinder::trade(const Formation& formation, int r,
                                                    const std::vector<std::uint64_t>& not_these,
                                                    std::vector<std::string>& refused) {
  const auto& role = formation.type.roles(r);
  if (services_.trading == nullptr) return std::optional<Candidate>();
  const TradeQuery query{role.interface_id(), with_counts(formation, role.trade()), role.prefer(),
                         50};
  auto offers = HECTOR_TRY(services_.trading->query(query));
  std::optional<Candidate> chosen;
  for (const auto& offer : offers) {
    if (chosen) {
      refused.push_back(
          fmt::format("{}{}: less preferred", offer.reference.object, properties_text(offer)));
      continue;
    }
    if (std::find(not_these.begin(), not_these.end(), offer.reference.offer) != not_these.end())
      continue;
    Candidate candidate{
        offer.reference,
        fmt::format("traded: {}{}{}",
                    query.constraint.empty() ? "any offer of " + query.type : query.constraint,
                    role.prefer().empty() ? "" : ", " + role.prefer(), properties_text(offer)),
        nullptr, 0};
    if (auto known = know(candidate); !known) {
      refused.push_back(fmt::format("{}: {}", offer.reference.object, known.error().message));
      continue;
    }
    const auto verdict = judge(formation, r, candidate);
    if (!verdict || !verdict->conforms()) {
      refused.push_back(
          fmt::format("{}: does not conform: {}", offer.reference.object,
                      verdict ? verdict->reasons.front().text : verdict.error().message));
      continue;
    }
    chosen = std::move(candidate);
  }
  return chosen;
}

Status PartyFinder::know(Candidate& candidate) {
  const Reference& reference = candidate.reference;
  if (auto known = core_.types.interface(reference.interface_id);
      known && (*known)->identity() == reference.identity) {
    candidate.interface = *known;
    return {};
  }
  if (reference.capsule_id == core_.capsule_id) {
    const OfferPtr offer = core_.offers.find(reference.offer);
    if (!offer) return fail(Code::kUnavailable, "it is retired");
    candidate.interface = offer->interface;
    return {};
  }
  auto described = HECTOR_TRY(describe_offer(core_, reference));
  candidate.interface = described;
  return {};
}

Result<types::Verdict> PartyFinder::judge(const Formation& formation, int role,
                                          const Candidate& candidate) {
  auto required = HECTOR_TRY(core_.types.interface(formation.type.roles(role).interface_id()));
  const auto known = core_.types.verdict(candidate.interface, formation.type,
                                         static_cast<std::uint32_t>(role), required);
  if (!*known) return fail(known->error());
  types::Verdict verdict = **known;
  for (auto& reason : verdict.reasons)
    reason.text = fmt::format("'{}' as role '{}': {}", candidate.reference.object,
                              formation.role_name(role), reason.text);
  return verdict;
}

std::optional<std::string> PartyFinder::authorise(const Formation& formation, int role,
                                                  const Candidate& candidate) const {
  const auto allowed =
      core_.policies.ask(formation.type.name(), formation.role_name(role), "principals");
  if (allowed.key.empty() || std::find(allowed.values.begin(), allowed.values.end(),
                                       candidate.reference.principal) != allowed.values.end())
    return std::nullopt;
  return fmt::format("'{}' is of principal '{}'; policy '{}' allows {} to play '{}'",
                     candidate.reference.object, candidate.reference.principal, allowed.key,
                     fmt::join(allowed.values, ", "), formation.role_name(role));
}

Status PartyFinder::admit(const Formation& formation, int role, Candidate& candidate) {
  if (!candidate.interface) {
    if (auto known = know(candidate); !known) return known;
  }
  auto verdict = HECTOR_TRY(judge(formation, role, candidate));
  if (!verdict.conforms())
    return fail(types::incompatible("a party cannot play its role", verdict));
  if (auto why = authorise(formation, role, candidate))
    return fail(Error{
        Code::kPermissionDenied, "a party's principal may not play its role", {}, {}, {*why}});
  return {};
}

// --- channels
// ----------------------------------------------------------------------------------------------

std::map<std::string, std::string> PartyFinder::unfit(const Formation& formation,
                                                      const std::string& from,
                                                      const std::string& to) const {
  std::map<std::string, std::string> unfit;
  for (const auto& interaction : formation.type.interactions()) {
    if (interaction.from() != from || interaction.to() != to ||
        (!interaction.has_qos() && !formation.type.has_qos()))
      continue;
    const auto qos = types::required_qos(formation.type, interaction);
    for (const auto& [name, can] : known_) {
      if (types::is_private(qos) && can.security != Security::kPrivacy)
        unfit[name] =
            fmt::format("it keeps nothing private, and '{}' requires privacy", interaction.name());
      if (can.message_octets_max != 0 && qos.message_octets_max() > can.message_octets_max) {
        unfit[name] =
            fmt::format("it carries {} octets at most, and '{}' requires {}",
                        can.message_octets_max, interaction.name(), qos.message_octets_max());
      }
    }
    if (qos.ordering() != "total") continue;
    for (const auto& [name, can] : known_)
      unfit[name] = fmt::format("'{}' requires total order, which no protocol here keeps",
                                interaction.name());
  }
  return unfit;
}

namespace {

/// What its Offer says; 0 where it says nothing, or cannot be asked.
double cost_of(Core& core, const Reference& reference) {
  std::string text;
  if (reference.capsule_id == core.capsule_id) {
    const OfferPtr offer = core.offers.find(reference.offer);
    const auto properties = offer ? offer->properties.get() : OfferProperties::Map();
    if (const auto cost = properties.find("cost"); cost != properties.end()) text = cost->second;
  } else if (auto described = describe_remote(core, reference);
             described && described->properties().contains("cost")) {
    text = described->properties().at("cost");
  }
  return std::strtod(text.c_str(), nullptr);
}

}  // namespace

Status PartyFinder::check_prices(const Formation& formation) {
  const double most = formation.type.qos().cost_max();
  std::vector<std::string> reasons;
  double sum = 0;
  bool is_limited = most != 0;
  for (const auto& interaction : formation.type.interactions())
    is_limited = is_limited || interaction.qos().cost_max() != 0;
  for (std::size_t r = 0; is_limited && r < formation.parties.size(); ++r) {
    for (const auto& party : formation.parties[r]) {
      if (!party || party->reference.is_foreign()) continue;
      const double cost = cost_of(core_, party->reference);
      sum += cost;
      for (const auto& interaction : formation.type.interactions()) {
        if (interaction.to() != formation.role_name(static_cast<int>(r)) ||
            interaction.qos().cost_max() == 0 || cost <= interaction.qos().cost_max())
          continue;
        reasons.push_back(fmt::format("'{}' costs {}, and '{}' may cost {} at most",
                                      party->reference.object, cost, interaction.name(),
                                      interaction.qos().cost_max()));
      }
    }
  }
  if (most != 0 && sum > most)
    reasons.push_back(fmt::format("the parties cost {} together, and {} may cost {} at most", sum,
                                  types::binding_id(formation.type), most));
  if (!reasons.empty())
    return fail(Error{
        Code::kFailedPrecondition, "the price is over the limit", {}, {}, std::move(reasons)});
  return {};
}

Result<ProtocolChoice> PartyFinder::choose(const Formation& formation, const Reference& from,
                                           int from_role, const Reference& to, int to_role) const {
  const auto order = core_.policies.ask(formation.type.name(), formation.role_name(to_role),
                                        "protocols", from.object);
  const bool may_be_local =
      order.values.empty() || order.key.find('*') != std::string::npos ||
      std::find(order.values.begin(), order.values.end(), kInProcess) != order.values.end();
  if (from.capsule_id == to.capsule_id && may_be_local)
    return ProtocolChoice{{kInProcess, from.capsule}, "both ends are in one capsule", {}};
  std::vector<std::string> here;
  if (from.capsule_id == core_.capsule_id) {
    here = core_.protocols.names();
  } else {
    for (const auto& profile : from.profiles) here.push_back(profile.protocol);
  }
  const std::string& role = formation.type.roles(to_role).name();
  return choose_protocol({.policies = core_.policies,
                          .binding = formation.type.name(),
                          .role = role,
                          .object = from.object,
                          .offered = to.profiles,
                          .here = here,
                          .unfit = unfit(formation, formation.role_name(from_role), role),
                          .known = known_});
}

Result<PreparePart> PartyFinder::part_of(const Formation& formation, int role,
                                         std::uint32_t member) const {
  const auto& type = formation.type;
  const Candidate& self = *formation.parties[static_cast<std::size_t>(role)][member];
  PreparePart part;
  part.set_binding(formation.id);
  *part.mutable_type() = type;
  part.set_role(formation.role_name(role));
  part.set_member(member);
  part.set_offer(self.reference.offer);
  part.set_session(self.session);
  part.set_principal(core_.options.principal);
  Reference binder;
  binder.object = kCoordinatorName;
  binder.capsule = core_.options.capsule;
  binder.capsule_id = core_.capsule_id;
  binder.profiles = core_.protocols.profiles();
  *part.mutable_binder() = to_model(binder);
  const types::View view = formation.view();
  for (int r = 0; r < type.roles_size(); ++r) {
    auto* plan = part.add_roles();
    plan->set_name(type.roles(r).name());
    plan->set_numbers(view.members[static_cast<std::size_t>(r)]);
    for (const auto absent : view.absent[static_cast<std::size_t>(r)]) plan->add_absent(absent);
    for (const auto& party : formation.parties[static_cast<std::size_t>(r)]) {
      if (r == role) break;
      *plan->add_members() = party ? to_model(party->reference) : hector::kernel::v1::Reference();
    }
  }
  std::set<int> partners;
  for (const auto& interaction : type.interactions()) {
    if (interaction.from() == formation.role_name(role))
      partners.insert(types::role_position(type, interaction.to()));
  }
  std::map<const void*, std::uint32_t> interfaces;
  std::vector<std::string> reasons;
  for (const int to : partners) {
    for (std::uint32_t m = 0; m < formation.parties[static_cast<std::size_t>(to)].size(); ++m) {
      const auto& partner = formation.parties[static_cast<std::size_t>(to)][m];
      if (!partner) continue;
      auto choice = choose(formation, self.reference, role, partner->reference, to);
      if (!choice) {
        std::string text = fmt::format("{} to {}: {}", formation.role_name(role),
                                       partner->reference.object, choice.error().message);
        for (const auto& each : choice.error().reasons) text += "; " + each;
        reasons.push_back(std::move(text));
        continue;
      }
      auto* channel = part.add_channels();
      channel->set_role(type.roles(to).name());
      channel->set_member(m);
      *channel->mutable_party() = to_model(partner->reference);
      channel->mutable_profile()->set_protocol(choice->profile.protocol);
      channel->mutable_profile()->set_address(choice->profile.address);
      channel->set_why(choice->why);
      for (const auto& each : choice->refused) channel->add_refused(each);
      channel->set_session(partner->session);
      const auto [known, is_new] = interfaces.emplace(
          partner->interface.get(), static_cast<std::uint32_t>(interfaces.size()));
      if (is_new) *part.add_interfaces() = partner->interface->typed_model();
      channel->set_interface(known->second);
    }
  }
  if (!reasons.empty())
    return fail(Error{Code::kUnavailable, "a channel has no protocol", {}, {}, std::move(reasons)});
  return part;
}

hector::management::v1::BindReply PartyFinder::describe(
    const Formation& formation, const std::vector<std::vector<std::string>>& refused,
    const std::vector<PreparePart>& parts) const {
  hector::management::v1::BindReply reply;
  if (formation.id != 0) reply.set_binding(id_text(formation.id));
  for (std::size_t r = 0; r < formation.parties.size(); ++r) {
    bool is_first = true;
    for (std::uint32_t m = 0; m < formation.parties[r].size(); ++m) {
      const auto& member = formation.parties[r][m];
      if (!member) continue;
      auto* party = reply.add_parties();
      party->set_role(formation.role_name(static_cast<int>(r)));
      party->set_number(m);
      party->set_object(member->reference.is_foreign() ? member->reference.interface_id
                                                       : member->reference.object);
      party->set_capsule(member->reference.capsule);
      party->set_interface_id(member->reference.interface_id);
      party->set_how(member->how);
      if (const OfferPtr own = core_.offers.find(member->reference.offer);
          own && member->reference.capsule_id == core_.capsule_id)
        party->set_template_(own->host->options().template_name);
      if (std::exchange(is_first, false) && r < refused.size()) {
        for (const auto& each : refused[r]) party->add_refused(each);
      }
    }
  }
  for (const auto& part : parts) {
    const auto& from = *formation.parties[static_cast<std::size_t>(
        types::role_position(formation.type, part.role()))][part.member()];
    for (const auto& planned : part.channels()) {
      auto* channel = reply.add_channels();
      std::string names;
      for (const auto& interaction : formation.type.interactions()) {
        if (interaction.from() == part.role() && interaction.to() == planned.role())
          names += (names.empty() ? "" : ", ") + interaction.name();
      }
      channel->set_interactions(names);
      channel->set_from(from.reference.object);
      channel->set_to(planned.party().object());
      channel->set_from_role(part.role());
      channel->set_to_role(planned.role());
      channel->set_protocol(planned.profile().protocol());
      channel->set_address(planned.profile().address());
      channel->set_why(planned.why());
      for (const auto& each : planned.refused()) channel->add_refused(each);
    }
  }
  return reply;
}

Result<std::shared_ptr<Target>> PartyFinder::coordinator(const Reference& reference) {
  if (auto known = coordinators_.find(reference.capsule_id); known != coordinators_.end())
    return known->second;
  Result<std::shared_ptr<Target>> made = fail(Code::kInternal, "");
  if (reference.capsule_id == core_.capsule_id) {
    made = std::make_shared<LocalTarget>(core_, core_.offers.find_object(kCoordinatorName));
  } else {
    made = coordinator_of(core_, reference);
  }
  if (made) coordinators_.emplace(reference.capsule_id, *made);
  return made;
}

}  // namespace hector
