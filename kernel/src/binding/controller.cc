#include "binding/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hector/check.h"
#include "party/suspicion.h"

namespace hector {

using binding::v1::Joined;
using binding::v1::Rebound;
using kernel::v1::Empty;

namespace {

/// For calls in flight, where a request names none.
constexpr Duration kGraceDefault = std::chrono::seconds(2);
/// Until it is at rest, where a request names none.
constexpr Duration kWaitDefault = std::chrono::seconds(1);
/// A party that has lost its right leaves at once, or the Binding ends.
constexpr Duration kLeaveDenied = std::chrono::milliseconds(150);
/// Between two looks of which the second has to confirm the first.
constexpr Duration kSecondLook = std::chrono::milliseconds(20);
/// How long a reset waits for what is on its way.
constexpr Duration kOnItsWay = std::chrono::milliseconds(500);
constexpr Duration kLookAgain = std::chrono::milliseconds(2);  ///< between two looks at it

Duration or_default(std::uint64_t milliseconds, Duration otherwise) {
  return milliseconds == 0 ? otherwise : std::chrono::milliseconds(milliseconds);
}

}  // namespace

BindingController::BindingController(Core& core, Health& health, std::function<Services()> services,
                                     BindingRecord record, std::function<void()> end)
    : core_(core),
      health_(health),
      services_(std::move(services)),
      end_(std::move(end)),
      id_(record.formation.id),
      type_(record.formation.type()),
      initiator_(std::move(record.initiator)),
      formation_(std::move(record.formation)),
      explained_(std::move(record.explained)) {
  HECTOR_CHECK(id_ != 0, "a Binding that was only explained is controlled");
  watch();
  note("bound", types::binding_id(type_));
}

const char* BindingController::text(State state) {
  switch (state) {
    case State::kActive:
      return "active";
    case State::kSuspended:
      return "suspended";
    case State::kFailed:
      return "failed";
    case State::kClosed:
      return "closed";
  }
  HECTOR_CHECK(false, "a Binding is in a state that there is not");
}

void BindingController::verify() const {
  const std::lock_guard lock(mutex_);
  check_invariants();
}

void BindingController::check_invariants() const {
  HECTOR_CHECK(formation_.id == id_, "a Binding has the Formation of another one");
  for (const Place place : lost_)
    HECTOR_CHECK(formation_.find(place) != nullptr, "a party is lost that takes no part");
  HECTOR_CHECK(!is_released_ || watched_.empty(), "an ended Binding still watches capsules");
}

// --- what it says of itself
// ----------------------------------------------------------------------------------------------

void BindingController::note(const std::string& kind, const std::string& text) {
  {
    const std::lock_guard lock(mutex_);
    events_.add(kind, text, core_.options.clock->wall());
  }
  core_.options.log->write(kind == "lost" || kind == "breach" || kind == "cycle" || kind == "denied"
                               ? Level::kWarning
                               : Level::kInfo,
                           "binding " + kind, {{"binding", id_text(id_)}, {"what", text}});
}

binding::v1::Events BindingController::events(std::uint64_t after) const {
  const std::lock_guard lock(mutex_);
  return events_.after(after);
}

management::v1::BindReply BindingController::formation() const {
  const std::lock_guard lock(mutex_);
  return explained_;
}

std::string BindingController::state_text() const {
  const std::lock_guard lock(mutex_);
  std::string shown = text(state_);
  if (state_ == State::kActive && !held_.empty()) shown = "stuck: " + held_.begin()->second;
  if (state_ == State::kActive && held_.empty() && !disagreement_.empty())
    shown = "out-of-order: " + disagreement_;
  for (const Place place : lost_) shown += "; lost: " + formation_.text(place);
  return shown;
}

Formation BindingController::formation_now() const {
  const std::lock_guard lock(mutex_);
  return formation_;
}

binding::v1::State BindingController::state() {
  const Formation formation = formation_now();
  const auto lost = lost_capsules();
  Coordinators coordinators(core_);
  const BindingLook look(coordinators, formation, lost);
  std::string disagreement;
  if (look.held().empty() && look.disagrees()) {
    core_.pause_for(kSecondLook);
    const BindingLook again(coordinators, formation, lost);
    if (again.held().empty() && again.disagrees() && again.is_as(look))
      disagreement = "the parties' positions fit no history that they share; `binding reset`";
  }
  {
    const std::lock_guard lock(mutex_);
    disagreement_ = disagreement;
    if (look.held().empty()) held_.clear();
    if (held_.empty() && !look.held().empty()) held_[Place{}] = look.held();
  }
  binding::v1::State state;
  state.set_binding(id_text(id_));
  state.set_type(types::binding_id(type_));
  state.set_state(state_text());
  look.show(state);
  const std::lock_guard lock(mutex_);
  *state.mutable_formation() = explained_;
  state.set_changes(events_.count());
  return state;
}

// --- parties that hold messages
// ----------------------------------------------------------------------------------------------

void BindingController::held(const kernel::v1::Place& told) {
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    const auto place = formation_.find_place(told.role(), told.member());
    if (!place || is_released_) return;
    held_.erase(Place{});  // what only a look had shown
    if (told.dimension() == kPassed) {
      held_.erase(*place);
      return;
    }
    is_new = held_.insert_or_assign(*place, told.text()).second;
  }
  if (is_new) note("held", told.text());
  break_cycle();
}

void BindingController::break_cycle() {
  if (is_looking_.exchange(true)) return;
  end_youngest_of_cycle();
  is_looking_.store(false);
}

void BindingController::end_youngest_of_cycle() {
  const Formation formation = formation_now();
  const auto lost = lost_capsules();
  Coordinators coordinators(core_);
  const auto first = BindingLook(coordinators, formation, lost).graph().cycle();
  if (!first) return;
  core_.pause_for(kSecondLook);  // what was on its way has arrived then
  const auto cycle = BindingLook(coordinators, formation, lost).graph().cycle();
  if (!cycle || cycle->at != first->at || cycle->number != first->number) return;
  kernel::v1::RefuseHeld refusal;
  *refusal.mutable_place() = formation.to_wire(cycle->at);
  refusal.set_number(cycle->number);
  refusal.set_why(fmt::format(
      "the parties wait for each other, so the call that came last ends: {}", cycle->chain));
  note("cycle", cycle->chain);
  static_cast<void>(coordinators.tell(formation.at(cycle->at).reference,
                                      CoordinatorOperations::kRefuseHeld, refusal));
}

void BindingController::watch() {
  std::vector<std::uint64_t> before;
  const auto capsules = formation_.capsules();
  {
    const std::lock_guard lock(mutex_);
    if (is_released_) return;
    before = std::exchange(watched_, {});
    for (const auto& capsule : capsules) {
      if (!core_.references.is_own(capsule)) watched_.push_back(capsule.capsule_id);
    }
  }
  for (const auto& capsule : capsules) health_.watch(capsule);
  for (const auto id : before) health_.forget(id);
}

void BindingController::put_formation(PartyFinder& finder, Formation next) {
  HECTOR_CHECK(next.id == id_, "a Binding gets the Formation of another one");
  std::vector<kernel::v1::PreparePart> parts;
  for (const Place place : next.places()) {
    if (auto part = finder.part_of(next, place)) parts.push_back(std::move(*part));
  }
  {
    const std::lock_guard lock(mutex_);
    explained_ = finder.describe(next, {}, parts);
    formation_ = std::move(next);
    std::erase_if(lost_, [&](Place place) { return formation_.find(place) == nullptr; });
    check_invariants();
  }
  watch();
}

void BindingController::release() {
  std::vector<std::uint64_t> watched;
  ReleaseReason reason;
  Formation formation;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_released_, true)) return;
    watched = std::exchange(watched_, {});
    state_ = State::kClosed;
    reason = reason_;
    formation = formation_;
  }
  for (const auto id : watched) health_.forget(id);
  hector::release(core_, formation, reason);
}

// --- the parts that changes are made of
// ----------------------------------------------------------------------------------------------

std::set<std::uint64_t> BindingController::lost_capsules() const {
  std::set<std::uint64_t> capsules;
  const std::lock_guard lock(mutex_);
  for (const Place place : lost_) capsules.insert(formation_.at(place).reference.capsule_id);
  return capsules;
}

Result<Candidate> BindingController::traded(PartyFinder& finder, RoleIndex role) const {
  std::vector<std::uint64_t> present;
  for (const auto& member : formation_.members(role)) {
    if (member) present.push_back(member->reference.offer);
  }
  auto traded = HECTOR_TRY(finder.trade(formation_, role, present));
  if (traded.chosen) return std::move(*traded.chosen);
  return fail(Error::not_found(fmt::format("nobody else offers to play role '{}'; export another "
                                           "offer, or name the party",
                                           formation_.name(role)))
                  .with_reasons(std::move(traded.refused)));
}

/// `who` empty: traded.
Result<Candidate> BindingController::candidate(PartyFinder& finder, RoleIndex role,
                                               const std::string& who) const {
  Candidate candidate;
  if (who.empty()) {
    candidate = HECTOR_TRY(traded(finder, role));
  } else {
    auto reference = HECTOR_TRY(finder.find(who));
    if (reference.is_foreign())
      return fail(Error::failed_precondition(
          fmt::format("'{}' is a foreign server: it knows no Binding it could join, so it takes "
                      "part from the beginning or not at all",
                      who)));
    candidate = {std::move(reference), "given as '" + who.substr(0, 40) + "'", nullptr, 0};
  }
  for (const auto& member : formation_.members(role)) {
    if (member && member->reference.offer == candidate.reference.offer)
      return fail(Error::already_exists(fmt::format(
          "'{}' plays role '{}' already", candidate.reference.object, formation_.name(role))));
  }
  HECTOR_TRY(finder.admit(formation_, role, candidate));
  return candidate;
}

void BindingController::resume(PartyFinder& finder, const Formation& formation) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kSuspended) return;
  }
  HECTOR_CHECK(formation.id == id_, "another Binding is resumed");
  Participants(finder.coordinators(), formation, lost_capsules()).resume();
}

kernel::v1::PlacedOffer BindingController::placed(const Candidate& party, Place place) const {
  kernel::v1::PlacedOffer offer;
  *offer.mutable_place() = formation_.to_wire(place);
  offer.set_offer(party.reference.offer);
  return offer;
}

Status BindingController::prepare(PartyFinder& finder, const Formation& formation, Place place) {
  auto part = HECTOR_TRY(finder.part_of(formation, place));
  part.set_is_successor(true);
  HECTOR_TRY(finder.coordinators().tell(formation.at(place).reference,
                                        CoordinatorOperations::kPrepare, part));
  return {};
}

void BindingController::drop(PartyFinder& finder, const Candidate& party, Place place) const {
  static_cast<void>(finder.coordinators().tell(party.reference, CoordinatorOperations::kDrop,
                                               placed(party, place)));
}

MembershipChange BindingController::membership(PartyFinder& finder,
                                               const std::set<std::uint64_t>& lost) {
  return MembershipChange({.finder = finder,
                           .clock = *core_.options.clock,
                           .present = formation_,
                           .lost = lost,
                           .resume = [this, &finder] { resume(finder, formation_); },
                           .pause = [this](Duration time) { return core_.pause_for(time); }});
}

// --- another party in one's place
// ----------------------------------------------------------------------------------------------

Result<Rebound> BindingController::rebind(const binding::v1::RebindRequest& request) {
  const std::lock_guard one(change_mutex_);
  verify();
  auto finder = this->finder();
  const auto place = HECTOR_TRY(formation_.place_of(request.role(), request.number()));
  if (formation_.at(place).reference.is_foreign())
    return fail(Error::failed_precondition(fmt::format(
        "{} is played by a foreign server, which cannot be quiesced, so its role cannot be "
        "rebound; end the Binding and make it with another one",
        formation_.text(place))));
  return rebind(finder, place, request.who(), or_default(request.grace_ms(), kGraceDefault));
}

Result<Rebound> BindingController::rebind(PartyFinder& finder, Place place, const std::string& who,
                                          Duration grace) {
  HECTOR_CHECK(!formation_.at(place).reference.is_foreign(), "a foreign server is replaced");
  auto successor = HECTOR_TRY(candidate(finder, place.role, who));
  const auto lost = lost_capsules();
  PartyReplacement replacement(
      {.finder = finder,
       .clock = *core_.options.clock,
       .present = formation_,
       .lost = lost,
       .grace = grace,
       .resume = [&](const Formation& formation) { resume(finder, formation); }},
      place, std::move(successor));
  auto rebound = HECTOR_TRY(
      replacement.run(lost_.contains(place) ? Handover::kReconstruct : Handover::kTakeOver));
  note("rebound", replacement.text(rebound));
  Formation next = replacement.next();
  {
    const std::lock_guard lock(mutex_);
    lost_.erase(place);
  }
  put_formation(finder, std::move(next));
  return rebound;
}

// --- members that come and go
// ----------------------------------------------------------------------------------------------

Result<Joined> BindingController::join(const binding::v1::JoinRequest& request) {
  const std::lock_guard one(change_mutex_);
  verify();
  auto finder = this->finder();
  const auto role = HECTOR_TRY(formation_.role_of(request.role()));
  if (const auto max = formation_.count_max(role); max && formation_.count(role) >= *max)
    return fail(Error::resource_exhausted(
        fmt::format("role '{}' has {} members, all it may have", request.role(), *max)));
  auto party = HECTOR_TRY(candidate(finder, role, request.who()));
  party.session = core_.options.random->next();
  Formation next = formation_;
  const Place place = next.add(role, party);
  HECTOR_TRY(prepare(finder, next, place));
  if (auto added = add_member(finder, next, place, or_default(request.wait_ms(), kWaitDefault));
      !added) {
    drop(finder, party, place);
    return fail(std::move(added.error()));
  }
  resume(finder, next);
  note("joined", fmt::format("{}: '{}' ({})", next.text(place), party.reference.object, party.how));
  Joined joined;
  joined.set_number(place.member);
  joined.set_object(party.reference.object);
  put_formation(finder, std::move(next));
  return joined;
}

/// On an error the Binding has resumed with the present members.
Status BindingController::add_member(PartyFinder& finder, const Formation& next, Place place,
                                     Duration longest) {
  const Candidate& party = next.at(place);
  const auto lost = lost_capsules();
  auto change = membership(finder, lost);
  const auto history = HECTOR_TRY(change.await_moment(
      next, std::nullopt, longest,
      fmt::format("'{}' cannot join role '{}'", party.reference.object, next.name(place.role))));
  kernel::v1::Adopt adopt;
  *adopt.mutable_party() = placed(party, place);
  for (const auto symbol : types::seen_by(type_, history, place.role, place.member))
    adopt.mutable_position()->add_way(symbol);
  const auto put = [&]() -> Status {
    auto& coordinators = finder.coordinators();
    HECTOR_TRY(coordinators.tell(party.reference, CoordinatorOperations::kAdopt, adopt));
    HECTOR_TRY(change.reconfigure(next, history, place));
    HECTOR_TRY(coordinators.tell(party.reference, CoordinatorOperations::kActivate, adopt.party()));
    return {};
  };
  auto done = put();
  if (!done) {
    static_cast<void>(change.reconfigure(formation_, history, std::nullopt));
    resume(finder, formation_);
  }
  return done;
}

Status BindingController::leave(const binding::v1::LeaveRequest& request) {
  const std::lock_guard one(change_mutex_);
  verify();
  auto finder = this->finder();
  const auto place = HECTOR_TRY(formation_.place_of(request.role(), request.number()));
  if (!can_be_without(place))
    return fail(Error::failed_precondition(
        fmt::format("role '{}' must keep {} members; rebind it to another party instead",
                    request.role(), formation_.role(place.role).members_min())));
  return take_out(finder, place, or_default(request.wait_ms(), kWaitDefault));
}

bool BindingController::can_be_without(Place place) const {
  const auto& role = formation_.role(place.role);
  const auto count = formation_.count(place.role);
  return count > role.members_min() || (role.optional() && count == 1);
}

Status BindingController::take_out(PartyFinder& finder, Place place, Duration longest) {
  const Candidate gone = formation_.at(place);
  Formation next = formation_;
  next.remove(place);
  const auto lost = lost_capsules();
  auto change = membership(finder, lost);
  const auto history = HECTOR_TRY(change.await_moment(
      next, place, longest,
      fmt::format("'{}' cannot leave role '{}'", gone.reference.object, next.name(place.role))));
  if (auto done = change.reconfigure(next, history, std::nullopt); !done) {
    resume(finder, formation_);
    return done;
  }
  drop(finder, gone, place);
  resume(finder, next);
  note("left", fmt::format("{}: '{}'", formation_.text(place), gone.reference.object));
  put_formation(finder, std::move(next));
  return {};
}

// --- to stop, to go on, to move
// ----------------------------------------------------------------------------------------------

Status BindingController::suspend() {
  const std::lock_guard one(change_mutex_);
  verify();
  auto finder = this->finder();
  if (auto frozen = participants(finder).freeze(Freeze::kAll); !frozen) {
    resume(finder, formation_);
    return fail(std::move(frozen.error()));
  }
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kSuspended;
  }
  note("suspended", "calls wait");
  return {};
}

Status BindingController::resume() {
  const std::lock_guard one(change_mutex_);
  verify();
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kSuspended)
      return fail(Error::failed_precondition(
          fmt::format("the Binding is {}, not suspended", text(state_))));
    state_ = State::kActive;
  }
  auto finder = this->finder();
  resume(finder, formation_);
  note("resumed", "calls go on");
  return {};
}

Result<PartyPositions> BindingController::freeze_all(PartyFinder& finder) {
  auto all = participants(finder);
  const TimePoint until = core_.options.clock->now() + kOnItsWay;
  for (;;) {
    auto positions = HECTOR_TRY(all.freeze(Freeze::kAll));
    if (positions.is_quiescent() || core_.options.clock->now() >= until ||
        !core_.pause_for(kLookAgain))
      return positions;
  }
}

Status BindingController::put_positions(PartyFinder& finder,
                                        const std::vector<types::PartyTrace>& present,
                                        const std::vector<types::Symbol>& history,
                                        const std::string& why) {
  kernel::v1::Reset request, back;
  for (auto* const message : {&request, &back}) {
    message->set_binding(id_);
    message->set_why(why);
  }
  const auto add = [&](kernel::v1::Reset& message, const types::PartyTrace& party,
                       const std::vector<types::Symbol>& trace) {
    auto& one = *message.add_parties();
    one.set_role(formation_.name(party.role));
    one.set_member(party.member);
    for (const auto symbol : trace) one.add_way(symbol);
  };
  for (const auto& party : present) {
    add(request, party, types::seen_by(type_, history, party.role, party.member));
    add(back, party, party.trace);
  }
  auto all = participants(finder);
  auto done = all.tell(CoordinatorOperations::kReset, request);
  if (!done) all.tell_anyway(CoordinatorOperations::kReset, back);
  return done;
}

Result<binding::v1::ResetDone> BindingController::reset(const binding::v1::ResetRequest& request) {
  const std::string& to = request.to();
  if (!to.empty() && to != "round" && to != "last" && to != "start")
    return fail(Error::invalid_argument(
        fmt::format("'{}' is nothing to reset to; round, last and start are", to)));
  const std::lock_guard one(change_mutex_);
  verify();
  auto finder = this->finder();
  const auto lost = lost_capsules();
  if (!lost.empty())
    return fail(Error::failed_precondition(
        fmt::format("the Binding is {}; `binding rebind` the lost party first", state_text())));
  const auto held = BindingLook(finder.coordinators(), formation_, lost).held_count();
  auto positions = freeze_all(finder);
  if (!positions) {
    resume(finder, formation_);
    return fail(std::move(positions.error()));
  }
  const auto traces = positions->traces();
  std::vector<types::Symbol> history;
  if (to != "start")
    history =
        types::agreed_history(type_, formation_.view(), traces,
                              to == "last" ? types::Agreement::kLast : types::Agreement::kRound);
  binding::v1::ResetDone done;
  for (const auto symbol : history) {
    const auto index = static_cast<int>(types::global_interaction(symbol));
    HECTOR_CHECK(index < type_.interactions_size(), "a history of another Binding type");
    done.add_position(type_.interactions(index).name());
  }
  done.set_to(history.empty() ? "the start"
                              : fmt::format("after {}", fmt::join(done.position(), ", ")));
  done.set_refused(held);
  auto put = put_positions(
      finder, traces, history,
      history.empty() ? "to the start" : fmt::format("to where it was {}", done.to()));
  resume(finder, formation_);
  if (!put) return fail(std::move(put.error()));
  {
    const std::lock_guard lock(mutex_);
    held_.clear();
    disagreement_.clear();
  }
  note("reset", fmt::format("to {}; {} held messages were refused", done.to(), held));
  return done;
}

Result<binding::v1::Moved> BindingController::move(const binding::v1::MoveRequest& request) {
  const std::lock_guard one(change_mutex_);
  verify();
  auto finder = this->finder();
  const auto place = HECTOR_TRY(formation_.place_of(request.role(), request.number()));
  const std::string& to = formation_.at(place).reference.object;
  kernel::v1::MoveChannel change;
  change.set_binding(id_);
  change.set_role(request.role());
  change.set_member(request.number());
  change.set_only(request.protocol());
  binding::v1::Moved moved;
  std::vector<std::string> refused;
  const Participants all = participants(finder);
  for (const auto& capsule : all.capsules()) {
    const auto done =
        finder.coordinators().tell(capsule, CoordinatorOperations::kMoveChannel, change);
    if (!done) {
      refused.push_back(fmt::format("capsule {}: {}", capsule.capsule, done.error().text()));
      continue;
    }
    for (const auto& each : done->moves()) {
      moved.add_moves(fmt::format("{} -> {}: {} {} ({})", each.from(), to,
                                  each.profile().protocol(), each.profile().address(), each.why()));
      show_move(each, to);
    }
  }
  if (moved.moves().empty())
    return fail(Error::failed_precondition(
                    fmt::format("no channel to {} was moved", formation_.text(place)))
                    .with_reasons(std::move(refused)));
  note("moved", fmt::format("{}", fmt::join(moved.moves(), "; ")));
  return moved;
}

void BindingController::show_move(const kernel::v1::MovedChannel::Move& move,
                                  const std::string& to) {
  const std::lock_guard lock(mutex_);
  for (auto& channel : *explained_.mutable_channels()) {
    if (channel.from() != move.from() || channel.to() != to) continue;
    channel.set_protocol(move.profile().protocol());
    channel.set_address(move.profile().address());
    channel.set_why(move.why());
  }
}

// --- it supervises itself
// ----------------------------------------------------------------------------------------------

void BindingController::suspect(const kernel::v1::Place& told) {
  std::uint64_t capsule = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto place = formation_.find_place(told.role(), told.member());
    const Candidate* const party = place ? formation_.find(*place) : nullptr;
    if (party == nullptr) return;
    capsule = party->reference.capsule_id;
  }
  if (told.dimension() == kHeld || told.dimension() == kPassed) return held(told);
  if (!told.dimension().empty()) return breached(told);
  if (capsule == core_.capsule_id) return alive(capsule);
  health_.ask_now(capsule);
}

void BindingController::overrun(const std::string& text) {
  note("failed", text);
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kFailed;
    reason_ = {text, Code::kDeadlineExceeded};
  }
  end_();
}

void BindingController::breached(const kernel::v1::Place& told) {
  if (told.dimension() == kOverrun) return overrun(told.text());
  note("breach", fmt::format("{} {}: {}", told.role(), told.member(), told.text()));
  const int role = types::role_position(type_, told.role());
  if (role < 0 || !types::is_traded_again(type_.roles(role), "breach")) return;
  binding::v1::RebindRequest request;
  request.set_role(told.role());
  request.set_number(told.member());
  if (auto rebound = rebind(request); !rebound)
    note("breach", fmt::format("{} {} keeps its party: {}", told.role(), told.member(),
                               rebound.error().text()));
}

void BindingController::alive(std::uint64_t capsule_id) {
  const std::lock_guard one(change_mutex_);
  const auto capsules = formation_.capsules();
  const bool takes_part =
      std::any_of(capsules.begin(), capsules.end(),
                  [&](const Reference& capsule) { return capsule.capsule_id == capsule_id; });
  if (!takes_part) return;
  auto finder = this->finder();
  resume(finder, formation_);
}

void BindingController::lose(PartyFinder& finder, Place place) {
  {
    const std::lock_guard lock(mutex_);
    lost_.insert(place);
    check_invariants();
  }
  const auto& reference = formation_.at(place).reference;
  note("lost", fmt::format("{}: '{}' of capsule '{}' does not answer any more",
                           formation_.text(place), reference.object, reference.capsule));
  participants(finder).tell_anyway(CoordinatorOperations::kLose, formation_.to_wire(place));
}

// --- rights
// ----------------------------------------------------------------------------------------------

std::string BindingController::end_denied(const std::string& why) {
  note("denied", "the Binding ends: " + why);
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kFailed;
    reason_ = {why, Code::kPermissionDenied};
  }
  end_();
  return "the Binding ends: " + why;
}

RightsLoss BindingController::check_rights() {
  const std::lock_guard one(change_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (is_released_) return {};
  }
  auto finder = this->finder();
  RightsLoss loss;
  for (;;) {
    const auto missing = finder.missing_rights(formation_, initiator_);
    const auto taken = std::find_if(missing.begin(), missing.end(),
                                    [](const MissingRight& each) { return each.is_said; });
    loss.is_known = taken != missing.end() || missing.empty();
    if (taken == missing.end()) return loss;
    loss.happened.push_back(take_out_denied(finder, *taken));
    const std::lock_guard lock(mutex_);
    if (state_ == State::kFailed) return loss;
  }
}

std::string BindingController::take_out_denied(PartyFinder& finder, const MissingRight& missing) {
  const Place place = missing.holder;
  const std::string who = formation_.text(place);
  if (formation_.at(place).reference.is_foreign() || !can_be_without(place))
    return end_denied(missing.reason);
  if (const auto left = take_out(finder, place, kLeaveDenied); !left)
    return end_denied(fmt::format("{}; {}", missing.reason, left.error().message));
  const std::string text = fmt::format("{} had to leave: {}", who, missing.reason);
  note("denied", text);
  return text;
}

void BindingController::lost(std::uint64_t capsule_id) {
  const std::lock_guard one(change_mutex_);
  auto finder = this->finder();
  auto places = formation_.places();
  std::erase_if(
      places, [&](Place place) { return formation_.at(place).reference.capsule_id != capsule_id; });
  for (const Place place : places) lose(finder, place);
  for (const Place place : places) {
    if (!types::is_traded_again(formation_.role(place.role), "failure")) continue;
    if (auto rebound = rebind(finder, place, "", kGraceDefault); !rebound)
      note("lost",
           fmt::format("{} has no successor: {}", formation_.text(place), rebound.error().text()));
  }
}

}  // namespace hector
