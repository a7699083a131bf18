#include "binding/party_finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "call/reference_model.h"
#include "channel/ping.h"
#include "hector/check.h"
#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "party/target.h"
#include "types/check/conformance.h"
#include "types/model/qos.h"

namespace hector {

using kernel::v1::PreparePart;

namespace {

constexpr std::uint32_t kOffersMax = 50;  ///< that the Trader is asked for, for one role
/// Before the address of a server that is no capsule.
constexpr std::string_view kForeign = "foreign:";

/// "foreign:PROTOCOL:ADDRESS/NAME/MAJOR": a foreign server, of an Interface known here.
Result<Reference> foreign_reference(const types::Repository& types, const std::string& who) {
  const auto protocol = who.find(':', kForeign.size());
  const auto major = who.rfind('/');
  const auto name =
      major == std::string::npos || major == 0 ? std::string::npos : who.rfind('/', major - 1);
  if (protocol == std::string::npos || name == std::string::npos || name < protocol)
    return fail(Error::invalid_argument(
        fmt::format("'{}' is not foreign:PROTOCOL:ADDRESS/NAME/MAJOR, where NAME/MAJOR is "
                    "an Interface, as in diary.News/1",
                    who)));
  const auto interface = HECTOR_TRY(types.interface(who.substr(name + 1)));
  Reference reference;
  reference.capsule = "foreign";
  reference.interface_id = interface->id();
  reference.identity = interface->identity();
  reference.profiles = {{who.substr(kForeign.size(), protocol - kForeign.size()),
                         who.substr(protocol + 1, name - protocol - 1)}};
  return reference;
}

}  // namespace

Result<Reference> resolve_reference(Core& core, const Services& services, std::string_view who) {
  if (who.starts_with("hector:")) return Reference::from_text(who);
  if (who.starts_with(kForeign)) return foreign_reference(core.types, std::string(who));
  if (const OfferPtr offer = core.offers.find_object(std::string(who)))
    return core.references.of(*offer);
  if (services.naming == nullptr)
    return fail(Error::not_found(
        fmt::format("no Object '{}' in capsule '{}', and it has no Naming service to ask", who,
                    core.options.capsule)));
  auto found = services.naming->lookup(std::string(who));
  if (!found && found.error().code == Code::kNotFound)
    return fail(
        Error::not_found(fmt::format("no Object '{}' in capsule '{}' nor in Naming; "
                                     "`hector get objects` lists what there is",
                                     who, core.options.capsule)));
  return found;
}

// --- finding
// ----------------------------------------------------------------------------------------------

Result<Reference> PartyFinder::find(const std::string& who) {
  auto reference = resolve_reference(core_, services_, who);
  if (!reference || reference->offer != 0 || reference->is_foreign()) return reference;
  const auto described = HECTOR_TRY(describe_remote(core_, *reference));
  return from_model(described.reference());
}

std::string PartyFinder::with_counts(const Formation& formation, std::string text) {
  auto roles = formation.roles();  // longer names first: $attendees is not $attendee and an s
  std::sort(roles.begin(), roles.end(), [&](RoleIndex a, RoleIndex b) {
    return formation.name(a).size() > formation.name(b).size();
  });
  for (const RoleIndex role : roles) {
    const std::string count = std::to_string(formation.count(role));
    for (const auto& name : {"$" + formation.name(role) + "s", "$" + formation.name(role)}) {
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

std::string how_traded(const TradeQuery& query, const TradedOffer& offer) {
  return fmt::format(
      "traded: {}{}{}", query.constraint.empty() ? "any offer of " + query.type : query.constraint,
      query.preference.empty() ? "" : ", " + query.preference, properties_text(offer));
}

}  // namespace

Result<PartyFinder::Traded> PartyFinder::trade(const Formation& formation, RoleIndex index,
                                               const std::vector<std::uint64_t>& not_these) {
  const auto& role = formation.role(index);
  Traded traded;
  if (services_.trading == nullptr) return traded;
  const TradeQuery query{role.interface_id(), with_counts(formation, role.trade()), role.prefer(),
                         kOffersMax};
  const auto offers = HECTOR_TRY(services_.trading->query(query));
  for (const auto& offer : offers) {
    const auto& object = offer.reference.object;
    if (traded.chosen) {
      traded.refused.push_back(fmt::format("{}{}: less preferred", object, properties_text(offer)));
      continue;
    }
    if (std::find(not_these.begin(), not_these.end(), offer.reference.offer) != not_these.end())
      continue;
    Candidate candidate{offer.reference, how_traded(query, offer), nullptr, 0};
    if (auto why = why_not(formation, index, candidate)) {
      traded.refused.push_back(fmt::format("{}: {}", object, *why));
    } else {
      traded.chosen = std::move(candidate);
    }
  }
  return traded;
}

std::optional<std::string> PartyFinder::why_not(const Formation& formation, RoleIndex role,
                                                Candidate& candidate) {
  if (auto known = know(candidate); !known) return known.error().message;
  const auto conformance = judge(formation, role, candidate);
  if (!conformance) return "does not conform: " + conformance.error().message;
  if (!conformance->conforms()) return "does not conform: " + conformance->findings.front().text;
  return std::nullopt;
}

// --- judging
// ----------------------------------------------------------------------------------------------

Status PartyFinder::know(Candidate& candidate) {
  const Reference& reference = candidate.reference;
  if (auto known = core_.types.interface(reference.interface_id);
      known && (*known)->identity() == reference.identity) {
    candidate.interface = *known;
    return {};
  }
  if (core_.references.is_own(reference)) {
    const OfferPtr offer = core_.offers.find(reference.offer);
    if (!offer) return fail(Error::unavailable("it is retired"));
    candidate.interface = offer->interface;
    return {};
  }
  candidate.interface = HECTOR_TRY(describe_offer(core_, reference));
  return {};
}

Result<Conformance> PartyFinder::judge(const Formation& formation, RoleIndex role,
                                       const Candidate& candidate) {
  HECTOR_CHECK(candidate.interface != nullptr, "a party is judged before its Interface is known");
  const auto required = HECTOR_TRY(core_.types.interface(formation.role(role).interface_id()));
  const auto known = core_.types.conformance(candidate.interface, formation.type(), role, required);
  if (!*known) return fail(known->error());
  Conformance conformance = **known;
  for (auto& finding : conformance.findings)
    finding.text = fmt::format("'{}' as role '{}': {}", candidate.reference.object,
                               formation.name(role), finding.text);
  return conformance;
}

std::optional<std::string> PartyFinder::authorise(const Formation& formation, RoleIndex role,
                                                  const Candidate& candidate) const {
  const auto allowed =
      core_.policies.ask(formation.type().name(), formation.name(role), "principals");
  const auto& principal = candidate.reference.principal;
  if (allowed.key.empty() ||
      std::find(allowed.values.begin(), allowed.values.end(), principal) != allowed.values.end())
    return std::nullopt;
  return fmt::format("'{}' is of principal '{}'; policy '{}' allows {} to play '{}'",
                     candidate.reference.object, principal, allowed.key,
                     fmt::join(allowed.values, ", "), formation.name(role));
}

std::vector<MissingRight> PartyFinder::missing_rights(const Formation& formation,
                                                      const std::string& initiator,
                                                      std::optional<Place> only) const {
  if (!core_.rights.are_asked()) return {};
  const RightsView view{.initiator = initiator.empty() ? core_.options.principal : initiator,
                        .own_capsule = core_.capsule_id,
                        .are_peers_proved = core_.options.credentials != nullptr,
                        .only = only};
  return RightsCheck(core_.rights).missing(needed_rights(formation, view));
}

Status PartyFinder::admit(const Formation& formation, RoleIndex role, Candidate& candidate) {
  if (!candidate.interface) HECTOR_TRY(know(candidate));
  const auto conformance = HECTOR_TRY(judge(formation, role, candidate));
  if (!conformance.conforms())
    return fail(types::incompatible("a party cannot play its role", conformance));
  if (auto why = authorise(formation, role, candidate))
    return fail(Error::permission_denied("a party's principal may not play its role")
                    .with_reasons({std::move(*why)}));
  if (!core_.rights.are_asked()) return {};
  Formation next = formation;
  const Place place = next.add(role, candidate);
  const auto missing = missing_rights(next, {}, place);
  return missing.empty() ? Status() : fail(denied(missing));
}

/// What its Offer says; 0 where it says nothing, or cannot be asked.
double PartyFinder::cost_of(const Reference& reference) const {
  std::string text;
  if (core_.references.is_own(reference)) {
    const OfferPtr offer = core_.offers.find(reference.offer);
    const auto properties = offer ? offer->properties.get() : OfferProperties::Map();
    if (const auto cost = properties.find("cost"); cost != properties.end()) text = cost->second;
  } else if (const auto described = describe_remote(core_, reference);
             described && described->properties().contains("cost")) {
    text = described->properties().at("cost");
  }
  return std::strtod(text.c_str(), nullptr);
}

Status PartyFinder::check_prices(const Formation& formation) {
  const auto& type = formation.type();
  const double most = type.qos().cost_max();
  const bool is_limited =
      most != 0 || std::any_of(type.interactions().begin(), type.interactions().end(),
                               [](const auto& each) { return each.qos().cost_max() != 0; });
  if (!is_limited) return {};
  std::vector<std::string> reasons;
  double sum = 0;
  for (const Place place : formation.places()) {
    const auto& reference = formation.at(place).reference;
    const double cost = cost_of(reference);
    sum += cost;
    for (const auto& interaction : type.interactions()) {
      const double cost_max = interaction.qos().cost_max();
      if (interaction.to() != formation.name(place.role) || cost_max == 0 || cost <= cost_max)
        continue;
      reasons.push_back(fmt::format("'{}' costs {}, and '{}' may cost {} at most", reference.object,
                                    cost, interaction.name(), cost_max));
    }
  }
  if (most != 0 && sum > most)
    reasons.push_back(fmt::format("the parties cost {} together, and {} may cost {} at most", sum,
                                  types::binding_id(type), most));
  if (reasons.empty()) return {};
  return fail(
      Error::failed_precondition("the price is over the limit").with_reasons(std::move(reasons)));
}

// --- channels
// ----------------------------------------------------------------------------------------------

std::map<std::string, std::string> PartyFinder::unfit(const Formation& formation, RoleIndex from,
                                                      RoleIndex to) const {
  std::map<std::string, std::string> unfit;
  const auto& type = formation.type();
  for (const auto& interaction : type.interactions()) {
    if (interaction.from() != formation.name(from) || interaction.to() != formation.name(to) ||
        (!interaction.has_qos() && !type.has_qos()))
      continue;
    const auto qos = types::required_qos(type, interaction);
    for (const auto& [name, can] : known_) {
      if (types::is_private(qos) && can.security != Security::kPrivacy)
        unfit[name] =
            fmt::format("it keeps nothing private, and '{}' requires privacy", interaction.name());
      if (can.message_octets_max != 0 && qos.message_octets_max() > can.message_octets_max)
        unfit[name] =
            fmt::format("it carries {} octets at most, and '{}' requires {}",
                        can.message_octets_max, interaction.name(), qos.message_octets_max());
      if (qos.ordering() == "total")
        unfit[name] = fmt::format("'{}' requires total order, which no protocol here keeps",
                                  interaction.name());
    }
  }
  return unfit;
}

Result<ProtocolChoice> PartyFinder::choose(const Formation& formation, const Ends& ends) const {
  const auto& type = formation.type();
  const auto& role = formation.name(ends.to_role);
  const auto order = core_.policies.ask(type.name(), role, "protocols", ends.from.object);
  const bool may_be_local =
      order.values.empty() || order.key.find('*') != std::string::npos ||
      std::find(order.values.begin(), order.values.end(), kInProcess) != order.values.end();
  if (ends.from.capsule_id == ends.to.capsule_id && may_be_local)
    return ProtocolChoice{{kInProcess, ends.from.capsule}, "both ends are in one capsule", {}};
  std::vector<std::string> here;
  if (core_.references.is_own(ends.from)) {
    here = core_.protocols.names();
  } else {
    for (const auto& profile : ends.from.profiles) here.push_back(profile.protocol);
  }
  return choose_protocol({.policies = core_.policies,
                          .binding = type.name(),
                          .role = role,
                          .object = ends.from.object,
                          .offered = ends.to.profiles,
                          .here = here,
                          .unfit = unfit(formation, ends.from_role, ends.to_role),
                          .known = known_});
}

Reference PartyFinder::initiator() const { return core_.references.of_object(kCoordinatorName); }

namespace {

void add_roles(const Formation& formation, RoleIndex own, PreparePart& part) {
  const types::View view = formation.view();
  for (const RoleIndex role : formation.roles()) {
    auto* plan = part.add_roles();
    plan->set_name(formation.name(role));
    plan->set_numbers(view.members[role]);
    for (const auto absent : view.absent[role]) plan->add_absent(absent);
    if (role == own) continue;
    for (const auto& party : formation.members(role))
      *plan->add_members() = party ? to_model(party->reference) : kernel::v1::Reference();
  }
}

/// The roles that this one's interactions go to, in order.
std::set<RoleIndex> receivers_of(const Formation& formation, RoleIndex role) {
  std::set<RoleIndex> receivers;
  for (const auto& interaction : formation.type().interactions()) {
    if (interaction.from() != formation.name(role)) continue;
    if (const auto to = formation.find_role(interaction.to())) receivers.insert(*to);
  }
  return receivers;
}

/// The Interfaces of a part, each once.
class InterfaceList {
 public:
  explicit InterfaceList(PreparePart& part) : part_(part) {}
  std::uint32_t index_of(const types::CompiledPtr& interface) {
    HECTOR_CHECK(interface != nullptr, "a channel leads to a party of an unknown Interface");
    const auto [known, is_new] =
        known_.emplace(interface.get(), static_cast<std::uint32_t>(known_.size()));
    if (is_new) *part_.add_interfaces() = interface->typed_model();
    return known->second;
  }

 private:
  PreparePart& part_;
  std::map<const void*, std::uint32_t> known_;
};

void add_channel(PreparePart& part, const std::string& role, MemberIndex member,
                 const Candidate& partner, const ProtocolChoice& choice) {
  auto* channel = part.add_channels();
  channel->set_role(role);
  channel->set_member(member);
  *channel->mutable_party() = to_model(partner.reference);
  channel->mutable_profile()->set_protocol(choice.profile.protocol);
  channel->mutable_profile()->set_address(choice.profile.address);
  channel->set_why(choice.why);
  for (const auto& each : choice.refused) channel->add_refused(each);
  channel->set_session(partner.session);
}

std::string no_protocol(const std::string& role, const Reference& partner, const Error& why) {
  std::string text = fmt::format("{} to {}: {}", role, partner.object, why.message);
  for (const auto& each : why.reasons) text += "; " + each;
  return text;
}

}  // namespace

Result<PreparePart> PartyFinder::part_of(const Formation& formation, Place place) const {
  const Candidate& self = formation.at(place);
  HECTOR_CHECK(!self.reference.is_foreign(), "a foreign server gets a part of a Binding");
  PreparePart part;
  part.set_binding(formation.id);
  *part.mutable_type() = formation.type();
  part.set_role(formation.name(place.role));
  part.set_member(place.member);
  part.set_offer(self.reference.offer);
  part.set_session(self.session);
  part.set_principal(core_.options.principal);
  *part.mutable_binder() = to_model(initiator());
  add_roles(formation, place.role, part);
  InterfaceList interfaces(part);
  std::vector<std::string> reasons;
  for (const RoleIndex to : receivers_of(formation, place.role)) {
    const auto& members = formation.members(to);
    for (std::uint32_t m = 0; m < members.size(); ++m) {
      if (!members[m]) continue;
      const Candidate& partner = *members[m];
      const auto choice = choose(formation, {self.reference, place.role, partner.reference, to});
      if (!choice) {
        reasons.push_back(
            no_protocol(formation.name(place.role), partner.reference, choice.error()));
        continue;
      }
      add_channel(part, formation.name(to), MemberIndex(m), partner, *choice);
      part.mutable_channels()->rbegin()->set_interface(interfaces.index_of(partner.interface));
    }
  }
  if (!reasons.empty())
    return fail(Error::unavailable("a channel has no protocol").with_reasons(std::move(reasons)));
  return part;
}

// --- showing
// ----------------------------------------------------------------------------------------------

void PartyFinder::describe_parties(const Formation& formation,
                                   const std::vector<std::vector<std::string>>& refused,
                                   management::v1::BindReply& reply) const {
  for (const RoleIndex role : formation.roles()) {
    const auto& members = formation.members(role);
    bool is_first = true;
    for (std::uint32_t m = 0; m < members.size(); ++m) {
      if (!members[m]) continue;
      const Reference& reference = members[m]->reference;
      auto* party = reply.add_parties();
      party->set_role(formation.name(role));
      party->set_number(m);
      party->set_object(reference.is_foreign() ? reference.interface_id : reference.object);
      party->set_capsule(reference.capsule);
      party->set_interface_id(reference.interface_id);
      party->set_how(members[m]->how);
      const OfferPtr own =
          core_.references.is_own(reference) ? core_.offers.find(reference.offer) : nullptr;
      if (own) party->set_template_(own->host->options().template_name);
      if (!std::exchange(is_first, false) || role >= refused.size()) continue;
      for (const auto& each : refused[role]) party->add_refused(each);
    }
  }
}

void PartyFinder::describe_channels(const Formation& formation, const PreparePart& part,
                                    management::v1::BindReply& reply) {
  const auto place = formation.find_place(part.role(), part.member());
  HECTOR_CHECK(place.has_value(), "a part is of a role that its Binding has not");
  const auto& from = formation.at(*place).reference;
  for (const auto& planned : part.channels()) {
    std::string names;
    for (const auto& interaction : formation.type().interactions()) {
      if (interaction.from() == part.role() && interaction.to() == planned.role())
        names += (names.empty() ? "" : ", ") + interaction.name();
    }
    auto* channel = reply.add_channels();
    channel->set_interactions(names);
    channel->set_from(from.object);
    channel->set_to(planned.party().object());
    channel->set_from_role(part.role());
    channel->set_to_role(planned.role());
    channel->set_protocol(planned.profile().protocol());
    channel->set_address(planned.profile().address());
    channel->set_why(planned.why());
    for (const auto& each : planned.refused()) channel->add_refused(each);
  }
}

management::v1::BindReply PartyFinder::describe(
    const Formation& formation, const std::vector<std::vector<std::string>>& refused,
    const std::vector<PreparePart>& parts) const {
  management::v1::BindReply reply;
  if (formation.id != 0) reply.set_binding(id_text(formation.id));
  describe_parties(formation, refused, reply);
  for (const auto& part : parts) describe_channels(formation, part, reply);
  return reply;
}

}  // namespace hector
