#include "binding/party_replacement.h"

#include <fmt/format.h>

#include <algorithm>

#include "call/reference_model.h"
#include "hector/check.h"

namespace hector {

using kernel::v1::Empty;
using kernel::v1::Position;

namespace {

std::uint64_t milliseconds(Duration time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

}  // namespace

PartyReplacement::PartyReplacement(Options options, Place place, Candidate successor)
    : options_(std::move(options)), place_(place), next_(options_.present) {
  successor.session = before().session;
  HECTOR_CHECK(successor.reference.offer != before().reference.offer,
               "a party is replaced by itself");
  next_.put(place_, std::move(successor));
}

Participants PartyReplacement::participants(const Formation& formation) {
  return {options_.finder.coordinators(), formation, options_.lost};
}

kernel::v1::PlacedOffer PartyReplacement::placed(const Candidate& party) const {
  kernel::v1::PlacedOffer offer;
  *offer.mutable_place() = next_.to_wire(place_);
  offer.set_offer(party.reference.offer);
  return offer;
}

void PartyReplacement::drop(const Candidate& party) {
  static_cast<void>(options_.finder.coordinators().tell(
      party.reference, CoordinatorOperations::kDrop, placed(party)));
}

Status PartyReplacement::prepare() {
  auto part = HECTOR_TRY(options_.finder.part_of(next_, place_));
  part.set_is_successor(true);
  HECTOR_TRY(options_.finder.coordinators().tell(after().reference, CoordinatorOperations::kPrepare,
                                                 part));
  return {};
}

Result<kernel::v1::Replace> PartyReplacement::routes_to(const Formation& formation) {
  const Candidate& party = formation.at(place_);
  HECTOR_CHECK(party.interface != nullptr, "calls are routed to a party of unknown Interface");
  const auto& role = formation.name(place_.role);
  kernel::v1::Replace replace;
  *replace.mutable_place() = formation.to_wire(place_);
  *replace.mutable_party() = to_model(party.reference);
  *replace.mutable_interface() = party.interface->typed_model();
  replace.set_session(party.session);
  std::set<std::string> callers;
  for (const auto& interaction : formation.type().interactions()) {
    if (interaction.to() == role) callers.insert(interaction.from());
  }
  for (const Place from : formation.places()) {
    if (!callers.contains(formation.name(from.role))) continue;
    const auto choice = HECTOR_TRY(options_.finder.choose(
        formation, {formation.at(from).reference, from.role, party.reference, place_.role}));
    auto* route = replace.add_ways();
    route->set_role(formation.name(from.role));
    route->set_member(from.member);
    route->mutable_profile()->set_protocol(choice.profile.protocol);
    route->mutable_profile()->set_address(choice.profile.address);
    route->set_why(choice.why);
  }
  return replace;
}

Result<Position> PartyReplacement::take_over() {
  auto& client = options_.finder.coordinators();
  auto all = participants(options_.present);
  kernel::v1::HandOver request;
  *request.mutable_party() = placed(before());
  request.set_grace_ms(milliseconds(options_.grace));
  for (const auto& capsule : all.capsules()) {
    const auto paused =
        HECTOR_TRY(client.tell(capsule, CoordinatorOperations::kPause, request.party().place()));
    for (const auto& party : paused.parties()) {
      for (const auto& count : party.position().sent()) *request.add_expected() = count;
    }
  }
  auto position = HECTOR_TRY(client.tell(before().reference, CoordinatorOperations::kHandOver,
                                         request, options_.grace * 3 + std::chrono::seconds(6)));
  kernel::v1::Arrived arrived;
  *arrived.mutable_from() = request.party().place();
  *arrived.mutable_expected() = position.sent();
  arrived.set_grace_ms(request.grace_ms());
  HECTOR_TRY(
      all.tell(CoordinatorOperations::kArrived, arrived, options_.grace + std::chrono::seconds(5)));
  return position;
}

Result<Position> PartyReplacement::reconstruct() {
  const auto positions = HECTOR_TRY(participants(options_.present).freeze(Freeze::kAll));
  auto position = positions.reconstruct(place_);
  if (position) return std::move(*position);
  return fail(Error::failed_precondition(fmt::format(
      "the remaining parties' histories are inconsistent, so the protocol state of the "
      "lost party ({}, '{}') cannot be reconstructed; end this Binding and make another one",
      next_.text(place_), before().reference.object)));
}

Status PartyReplacement::put_successor(const Position& position) {
  auto& client = options_.finder.coordinators();
  kernel::v1::Adopt adopt;
  *adopt.mutable_party() = placed(after());
  *adopt.mutable_position() = position;
  HECTOR_TRY(client.tell(after().reference, CoordinatorOperations::kAdopt, adopt));
  if (auto done = participants(next_).tell(CoordinatorOperations::kReplace, routes_); !done) {
    if (const auto back = routes_to(options_.present))
      participants(options_.present).tell_anyway(CoordinatorOperations::kReplace, *back);
    return done;
  }
  HECTOR_TRY(client.tell(after().reference, CoordinatorOperations::kActivate, adopt.party()));
  return {};
}

Result<binding::v1::Rebound> PartyReplacement::run(Handover handover) {
  HECTOR_CHECK(!routes_.has_place(), "a replacement runs twice");
  routes_ = HECTOR_TRY(routes_to(next_));
  HECTOR_TRY(prepare());
  const auto undo = [&](Error why) {
    drop(after());
    options_.resume(options_.present);
    return fail(std::move(why));
  };
  if (auto warm = participants(options_.present).tell(CoordinatorOperations::kWarm, routes_); !warm)
    return undo(std::move(warm.error()));
  const TimePoint begin = options_.clock.now();
  auto position = handover == Handover::kTakeOver ? take_over() : reconstruct();
  if (!position) return undo(std::move(position.error()));
  if (auto put = put_successor(*position); !put) return undo(std::move(put.error()));
  if (handover == Handover::kTakeOver) drop(before());
  options_.resume(next_);
  const Duration gap = options_.clock.now() - begin;
  binding::v1::Rebound rebound;
  rebound.set_object(after().reference.object);
  rebound.set_capsule(after().reference.capsule);
  rebound.set_how(after().how);
  rebound.set_with_state(position->has_state());
  rebound.set_gap_us(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(gap).count()));
  return rebound;
}

std::string PartyReplacement::text(const binding::v1::Rebound& rebound) const {
  return fmt::format("{}: '{}' instead of '{}' ({}){}, calls waited for {} us at most",
                     next_.text(place_), after().reference.object, before().reference.object,
                     after().how, rebound.with_state() ? ", with its state" : "", rebound.gap_us());
}

}  // namespace hector
