#include "binding/controller.h"

#include <fmt/format.h>

#include <algorithm>

#include "call/reference_model.h"

namespace hector {

using binding::v1::Joined;
using binding::v1::Rebound;
using kernel::v1::BindingId;
using kernel::v1::Empty;
using kernel::v1::PlacedOffer;
using kernel::v1::Position;
using kernel::v1::Positions;
using kernel::v1::Replace;

namespace {

constexpr std::size_t kEventsMax = 1'000;
constexpr Duration kGraceDefault = std::chrono::seconds(2);
constexpr Duration kWaitDefault = std::chrono::seconds(1);
/// How long messages that are on their way may take until a change is put off.
constexpr Duration kOnTheWay = std::chrono::milliseconds(100);
constexpr Duration kLookAgain = std::chrono::milliseconds(1);

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
      type_(record.formation.type),
      formation_(std::move(record.formation)),
      explained_(std::move(record.explained)) {
  watch();
  note("bound", types::binding_id(type_));
}

// --- what it says of itself
// ----------------------------------------------------------------------------------------------

void BindingController::note(const std::string& kind, const std::string& text) {
  {
    const std::lock_guard lock(mutex_);
    auto& event = events_.emplace_back();
    event.set_number(++events_ever_);
    event.set_time_ms(std::chrono::duration_cast<std::chrono::milliseconds>(
                          core_.options.clock->wall().time_since_epoch())
                          .count());
    event.set_kind(kind);
    event.set_text(text);
    if (events_.size() > kEventsMax) events_.pop_front();
  }
  core_.options.log->write(kind == "lost" || kind == "breach" ? Level::kWarning : Level::kInfo,
                           "binding " + kind, {{"binding", id_text(id_)}, {"what", text}});
}

binding::v1::Events BindingController::events(std::uint64_t after) const {
  const std::lock_guard lock(mutex_);
  binding::v1::Events events;
  for (const auto& event : events_) {
    if (event.number() > after) *events.add_events() = event;
  }
  return events;
}

management::v1::BindReply BindingController::formation() const {
  const std::lock_guard lock(mutex_);
  return explained_;
}

binding::v1::State BindingController::state() const {
  const std::lock_guard lock(mutex_);
  binding::v1::State state;
  state.set_binding(id_text(id_));
  state.set_type(types::binding_id(type_));
  std::string text = state_;
  for (const auto& [role, member] : lost_)
    text += fmt::format("; lost: {} {}", type_.roles(role).name(), member);
  state.set_state(text);
  *state.mutable_formation() = explained_;
  state.set_changes(events_ever_);
  return state;
}

void BindingController::watch() {
  std::vector<std::uint64_t> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(watched_, {});
    for (const auto& capsule : formation_.capsules()) {
      if (capsule.capsule_id != core_.capsule_id) watched_.push_back(capsule.capsule_id);
    }
  }
  for (const auto& capsule : formation_.capsules()) health_.watch(capsule);
  for (const auto id : before) health_.forget(id);
}

void BindingController::adopt_formation(PartyFinder& finder, Formation next) {
  Parts parts;
  for (const auto& [role, member] : next.places()) {
    if (auto part = finder.part_of(next, role, member)) parts.push_back(std::move(*part));
  }
  {
    const std::lock_guard lock(mutex_);
    explained_ = finder.describe(next, {}, parts);
    formation_ = std::move(next);
  }
  watch();
}

void BindingController::release() {
  std::vector<std::uint64_t> watched;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_released_, true)) return;
    watched = std::exchange(watched_, {});
    state_ = "closed";
  }
  for (const auto id : watched) health_.forget(id);
  hector::release(core_, formation_, why_, code_);
}

std::vector<Reference> BindingController::live(const Formation& formation) const {
  auto capsules = formation.capsules();
  const std::lock_guard lock(mutex_);
  for (const auto& [role, member] : lost_) {
    const auto& party = formation_.parties[static_cast<std::size_t>(role)][member];
    if (party)
      std::erase_if(capsules, [&](const Reference& capsule) {
        return capsule.capsule_id == party->reference.capsule_id;
      });
  }
  return capsules;
}

// --- the parts that every change is made of
// ----------------------------------------------------------------------------------------------

Result<int> BindingController::role_of(const std::string& name) const {
  const int role = types::role_position(type_, name);
  if (role >= 0) return role;
  std::vector<std::string> names;
  for (const auto& each : type_.roles()) names.push_back(each.name());
  return fail(Code::kInvalidArgument,
              fmt::format("{} has no role '{}'; roles are {}", types::binding_id(type_), name,
                          fmt::join(names, ", ")));
}

Result<std::pair<int, std::uint32_t>> BindingController::place_of(const std::string& name,
                                                                  std::uint32_t number) const {
  const auto role = HECTOR_TRY(role_of(name));
  const auto& members = formation_.parties[static_cast<std::size_t>(role)];
  if (number < members.size() && members[number]) return std::pair{role, number};
  std::vector<std::string> known;
  for (std::uint32_t m = 0; m < members.size(); ++m) {
    if (members[m]) known.push_back(fmt::format("{} ({})", m, members[m]->reference.object));
  }
  return fail(Code::kNotFound,
              fmt::format("role '{}' has no member {}; it has {}", name, number,
                          known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
}

Result<std::vector<kernel::v1::PartyPosition>> BindingController::freeze(PartyFinder& finder,
                                                                         bool seal) {
  hector::kernel::v1::Freeze request;
  request.set_binding(id_);
  request.set_seal(seal);
  std::vector<kernel::v1::PartyPosition> parties;
  for (const auto& capsule : live(formation_)) {
    auto frozen =
        HECTOR_TRY(finder.tell<Positions>(capsule, CoordinatorOperation::kFreeze, request));
    for (const auto& party : frozen.parties()) {
      if (!is_sound(party))
        return fail(Code::kInternal,
                    fmt::format("capsule '{}' says what cannot be of a party of this Binding",
                                capsule.capsule));
      parties.push_back(party);
    }
  }
  return parties;
}

Result<Candidate> BindingController::candidate(PartyFinder& finder, int role,
                                               const std::string& who) {
  Candidate candidate;
  if (who.empty()) {
    std::vector<std::uint64_t> present;
    for (const auto& member : formation_.parties[static_cast<std::size_t>(role)]) {
      if (member) present.push_back(member->reference.offer);
    }
    std::vector<std::string> refused;
    auto traded = HECTOR_TRY(finder.trade(formation_, role, present, refused));
    if (!traded)
      return fail(
          Error{Code::kNotFound,
                fmt::format("nobody else offers to play role '{}'", formation_.role_name(role)),
                {},
                {},
                std::move(refused)});
    candidate = std::move(*traded);
  } else {
    auto reference = HECTOR_TRY(finder.find(who));
    if (reference.is_foreign())
      return fail(Code::kFailedPrecondition,
                  "a server of another system takes part from the beginning or not at all: it "
                  "knows no Binding it could join");
    candidate = {std::move(reference), "given as '" + who.substr(0, 40) + "'", nullptr, 0};
  }
  for (const auto& member : formation_.parties[static_cast<std::size_t>(role)]) {
    if (member && member->reference.offer == candidate.reference.offer) {
      return fail(Code::kAlreadyExists,
                  fmt::format("'{}' plays role '{}' already", candidate.reference.object,
                              formation_.role_name(role)));
    }
  }
  HECTOR_TRY(finder.admit(formation_, role, candidate));
  return candidate;
}

template <class In>
Status BindingController::tell_all(PartyFinder& finder, const Formation& formation,
                                   CoordinatorOperation operation, const In& message) {
  Status all;
  for (const auto& capsule : live(formation)) {
    auto done = finder.tell<Empty>(capsule, operation, message);
    if (!done && all) all = fail(done.error());
  }
  return all;
}

void BindingController::go_on(PartyFinder& finder, const Formation& formation) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == "suspended") return;
  }
  BindingId id;
  id.set_binding(id_);
  static_cast<void>(tell_all(finder, formation, CoordinatorOperation::kResume, id));
}

PlacedOffer BindingController::placed(const Candidate& candidate, int role,
                                      std::uint32_t member) const {
  PlacedOffer offer;
  offer.mutable_place()->set_binding(id_);
  offer.mutable_place()->set_role(formation_.role_name(role));
  offer.mutable_place()->set_member(member);
  offer.set_offer(candidate.reference.offer);
  return offer;
}

Status BindingController::prepare(PartyFinder& finder, const Formation& formation, int role,
                                  std::uint32_t member) {
  auto part = HECTOR_TRY(finder.part_of(formation, role, member));
  part.set_is_successor(true);
  auto done =
      finder.tell<Empty>(formation.parties[static_cast<std::size_t>(role)][member]->reference,
                         CoordinatorOperation::kPrepare, part);
  if (!done) return fail(done.error());
  return {};
}

void BindingController::drop(PartyFinder& finder, const Candidate& candidate, int role,
                             std::uint32_t member) {
  static_cast<void>(finder.tell<Empty>(candidate.reference, CoordinatorOperation::kDrop,
                                       placed(candidate, role, member)));
}

// --- another party in one's place
// ----------------------------------------------------------------------------------------------

Result<Replace> BindingController::ways_to(PartyFinder& finder, const Formation& formation,
                                           int role, std::uint32_t member) {
  const Candidate& party = *formation.parties[static_cast<std::size_t>(role)][member];
  Replace replace;
  replace.mutable_place()->set_binding(id_);
  replace.mutable_place()->set_role(formation.role_name(role));
  replace.mutable_place()->set_member(member);
  *replace.mutable_party() = to_model(party.reference);
  *replace.mutable_interface() = party.interface->typed_model();
  replace.set_session(party.session);
  std::set<std::string> callers;
  for (const auto& interaction : type_.interactions()) {
    if (interaction.to() == formation.role_name(role)) callers.insert(interaction.from());
  }
  for (const auto& [r, m] : formation.places()) {
    if (!callers.contains(formation.role_name(r))) continue;
    auto choice =
        finder.choose(formation, formation.parties[static_cast<std::size_t>(r)][m]->reference, r,
                      party.reference, role);
    if (!choice) return fail(choice.error());
    auto* way = replace.add_ways();
    way->set_role(formation.role_name(r));
    way->set_member(m);
    way->mutable_profile()->set_protocol(choice->profile.protocol);
    way->mutable_profile()->set_address(choice->profile.address);
    way->set_why(choice->why);
  }
  return replace;
}

Result<Position> BindingController::take_over(PartyFinder& finder, const Change& change) {
  hector::kernel::v1::HandOver request;
  *request.mutable_party() = placed(change.before, change.role, change.member);
  request.set_grace_ms(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(change.grace).count()));
  for (const auto& capsule : live(formation_)) {
    auto paused =
        finder.tell<Positions>(capsule, CoordinatorOperation::kPause, request.party().place());
    if (!paused) return fail(paused.error());
    for (const auto& party : paused->parties()) {
      for (const auto& count : party.position().sent()) *request.add_expected() = count;
    }
  }
  auto position = finder.tell<Position>(change.before.reference, CoordinatorOperation::kHandOver,
                                        request, change.grace * 3 + std::chrono::seconds(6));
  if (!position) return fail(position.error());
  hector::kernel::v1::Arrived arrived;
  *arrived.mutable_from() = request.party().place();
  *arrived.mutable_expected() = position->sent();
  arrived.set_grace_ms(request.grace_ms());
  for (const auto& capsule : live(formation_)) {
    if (auto done = finder.tell<Empty>(capsule, CoordinatorOperation::kArrived, arrived,
                                       change.grace + std::chrono::seconds(5));
        !done)
      return fail(done.error());
  }
  return position;
}

Result<Position> BindingController::reconstruct(PartyFinder& finder, const Change& change) {
  auto parties = HECTOR_TRY(freeze(finder, true));
  std::vector<types::PartyWay> ways;
  std::vector<types::Symbol> unsent;  // as the lost party would have seen them
  Position position;
  const auto role_number = static_cast<std::uint32_t>(change.role);
  for (const auto& party : parties) {
    const auto role = static_cast<std::uint32_t>(types::role_position(type_, party.role()));
    ways.push_back(
        {role, party.member(), {party.position().way().begin(), party.position().way().end()}});
    for (const auto symbol : party.waiting()) {
      const auto& interaction =
          type_.interactions(static_cast<int>(types::symbol_interaction(symbol)));
      if (interaction.to() == formation_.role_name(change.role) &&
          types::symbol_member(symbol) == change.member)
        unsent.push_back(types::view_symbol(types::symbol_interaction(symbol), party.member()));
    }
    for (const auto& [from, to] :
         {std::pair{&party.position().sent(), position.mutable_received()},
          std::pair{&party.position().received(), position.mutable_sent()}}) {
      for (const auto& count : *from) {
        if (count.role() != role_number || count.member() != change.member) continue;
        auto* added = to->Add();
        *added = count;
        added->set_role(role);
        added->set_member(party.member());
      }
    }
  }
  auto view = formation_.view();
  const auto history = types::common_history(type_, view, ways);
  if (!history)
    return fail(Code::kFailedPrecondition,
                "what the others say has happened makes no beginning of the protocol: nobody knows "
                "where the lost party stood");
  auto way = types::seen_by(type_, *history, role_number, change.member);
  for (const auto symbol : unsent) {
    const auto last = std::find(way.rbegin(), way.rend(), symbol);
    if (last != way.rend()) way.erase(std::next(last).base());
  }
  for (const auto symbol : way) position.add_way(symbol);
  return position;
}

Result<Rebound> BindingController::replace(PartyFinder& finder, Change& change, bool is_lost) {
  HECTOR_TRY(prepare(finder, change.formation, change.role, change.member));
  const auto undo = [&](const Error& why) {
    drop(finder, change.after, change.role, change.member);
    go_on(finder, formation_);
    return fail(why);
  };
  for (const auto& capsule : live(formation_)) {
    if (auto warm = finder.tell<Empty>(capsule, CoordinatorOperation::kWarm, change.replace); !warm)
      return undo(warm.error());
  }
  const TimePoint begin = core_.options.clock->now();
  auto position = is_lost ? reconstruct(finder, change) : take_over(finder, change);
  if (!position) return undo(position.error());
  hector::kernel::v1::Adopt adopt;
  *adopt.mutable_party() = placed(change.after, change.role, change.member);
  *adopt.mutable_position() = *position;
  if (auto done = finder.tell<Empty>(change.after.reference, CoordinatorOperation::kAdopt, adopt);
      !done)
    return undo(done.error());
  for (const auto& capsule : live(change.formation)) {
    auto done = finder.tell<Empty>(capsule, CoordinatorOperation::kReplace, change.replace);
    if (done) continue;
    if (auto back = ways_to(finder, formation_, change.role, change.member)) {
      for (const auto& again : live(formation_))
        static_cast<void>(finder.tell<Empty>(again, CoordinatorOperation::kReplace, *back));
    }
    return undo(done.error());
  }
  if (auto done = finder.tell<Empty>(change.after.reference, CoordinatorOperation::kActivate,
                                     adopt.party());
      !done)
    return undo(done.error());
  if (!is_lost) drop(finder, change.before, change.role, change.member);
  go_on(finder, change.formation);
  const Duration gap = core_.options.clock->now() - begin;
  Rebound rebound;
  rebound.set_object(change.after.reference.object);
  rebound.set_capsule(change.after.reference.capsule);
  rebound.set_how(change.after.how);
  rebound.set_with_state(position->has_state());
  rebound.set_gap_us(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(gap).count()));
  note("rebound",
       fmt::format("{} {}: '{}' instead of '{}' ({}){}, calls waited for {} us at most",
                   formation_.role_name(change.role), change.member, change.after.reference.object,
                   change.before.reference.object, change.after.how,
                   position->has_state() ? ", with its state" : "", rebound.gap_us()));
  adopt_formation(finder, change.formation);
  return rebound;
}

Result<Rebound> BindingController::rebind(const binding::v1::RebindRequest& request) {
  const std::lock_guard one(change_mutex_);
  auto finder = this->finder();
  const auto place = HECTOR_TRY(place_of(request.role(), request.number()));
  const auto [role, member] = place;
  if (formation_.parties[static_cast<std::size_t>(role)][member]->reference.is_foreign())
    return fail(Code::kFailedPrecondition,
                "a server of another system cannot be asked to come to rest: it stays until the "
                "Binding ends");
  return rebind(finder, role, member, request.who(), or_default(request.grace_ms(), kGraceDefault));
}

Result<Rebound> BindingController::rebind(PartyFinder& finder, int role, std::uint32_t member,
                                          const std::string& who, Duration grace) {
  auto after = HECTOR_TRY(candidate(finder, role, who));
  Change change{role,
                member,
                *formation_.parties[static_cast<std::size_t>(role)][member],
                std::move(after),
                formation_,
                {},
                grace};
  change.after.session = change.before.session;
  change.formation.parties[static_cast<std::size_t>(role)][member] = change.after;
  auto ways = HECTOR_TRY(ways_to(finder, change.formation, role, member));
  change.replace = std::move(ways);
  auto rebound = replace(finder, change, lost_.contains({role, member}));
  if (rebound) {
    const std::lock_guard lock(mutex_);
    lost_.erase({role, member});
  }
  return rebound;
}

// --- members that come and go
// ----------------------------------------------------------------------------------------------

bool BindingController::is_sound(const kernel::v1::PartyPosition& party) const {
  const auto is_place = [&](int role, std::uint32_t member) {
    return role >= 0 && static_cast<std::size_t>(role) < formation_.parties.size() &&
           member < formation_.parties[static_cast<std::size_t>(role)].size();
  };
  const auto all_are_places = [&](const auto& counts) {
    return std::all_of(counts.begin(), counts.end(), [&](const auto& count) {
      return count.role() < formation_.parties.size() &&
             is_place(static_cast<int>(count.role()), count.member());
    });
  };
  const auto is_symbol = [&](types::Symbol symbol) {
    return types::symbol_interaction(symbol) <
           static_cast<std::uint32_t>(type_.interactions_size());
  };
  const auto& position = party.position();
  return is_place(types::role_position(type_, party.role()), party.member()) &&
         all_are_places(position.sent()) && all_are_places(position.received()) &&
         std::all_of(position.way().begin(), position.way().end(), is_symbol) &&
         std::all_of(party.waiting().begin(), party.waiting().end(), is_symbol);
}

std::optional<std::vector<kernel::v1::PartyPosition>> BindingController::at_rest(
    PartyFinder& finder) {
  const TimePoint until = core_.options.clock->now() + kOnTheWay;
  do {
    auto parties = freeze(finder, false);
    if (!parties) return std::nullopt;
    std::map<std::tuple<int, std::uint32_t, int, std::uint32_t>, std::uint64_t> received;
    for (const auto& party : *parties) {
      const int to = types::role_position(type_, party.role());
      for (const auto& count : party.position().received())
        received[{static_cast<int>(count.role()), count.member(), to, party.member()}] =
            count.messages();
    }
    const bool all_arrived = std::all_of(parties->begin(), parties->end(), [&](const auto& party) {
      const int from = types::role_position(type_, party.role());
      return party.leaving() == 0 &&
             std::all_of(party.position().sent().begin(), party.position().sent().end(),
                         [&](const auto& count) {
                           const auto& partner = formation_.parties[count.role()][count.member()];
                           return !partner || partner->reference.is_foreign() ||
                                  received[{from, party.member(), static_cast<int>(count.role()),
                                            count.member()}] >= count.messages();
                         });
    });
    if (all_arrived) return std::move(*parties);
  } while (core_.options.clock->now() < until && core_.pause_for(kLookAgain));
  return std::nullopt;
}

Result<std::vector<types::Symbol>> BindingController::moment_for(
    PartyFinder& finder, const Formation& next,
    std::optional<std::pair<int, std::uint32_t>> leaving, Duration wait, const std::string& what) {
  const TimePoint until = core_.options.clock->now() + wait;
  const auto view = next.view();
  std::string where;
  for (;;) {
    if (const auto parties = at_rest(finder)) {
      std::vector<types::PartyWay> ways;
      where.clear();
      for (const auto& party : *parties) {
        types::PartyWay way{static_cast<std::uint32_t>(types::role_position(type_, party.role())),
                            party.member(),
                            {party.position().way().begin(), party.position().way().end()}};
        if (leaving && static_cast<int>(way.role) == leaving->first &&
            way.member == leaving->second)
          continue;
        if (leaving)
          way.way = types::without(type_, way, static_cast<std::uint32_t>(leaving->first),
                                   leaving->second);
        if (where.empty() && !way.way.empty())
          where = type_.interactions(static_cast<int>(types::symbol_interaction(way.way.back())))
                      .name();
        ways.push_back(std::move(way));
      }
      for (const auto& [role, member] : next.places()) {
        const bool is_new = std::none_of(ways.begin(), ways.end(), [&](const auto& way) {
          return static_cast<int>(way.role) == role && way.member == member;
        });
        if (is_new) ways.push_back({static_cast<std::uint32_t>(role), member, {}});
      }
      if (auto history = types::common_history(type_, view, ways)) return std::move(*history);
    }
    go_on(finder, formation_);
    if (core_.options.clock->now() >= until || !core_.pause_for(std::chrono::milliseconds(5)))
      break;
  }
  return fail(Code::kFailedPrecondition,
              fmt::format("{} now: what has happened{} is no beginning of {} with the members "
                          "there would be; try again when that round is over",
                          what, where.empty() ? "" : fmt::format(" (up to '{}')", where),
                          types::binding_id(type_)));
}

Status BindingController::reconfigure(PartyFinder& finder, const Formation& next,
                                      const std::vector<types::Symbol>& history,
                                      std::optional<std::pair<int, std::uint32_t>> except) {
  HECTOR_TRY(freeze(finder, true));
  std::map<std::uint64_t, std::pair<Reference, hector::kernel::v1::Reconfigure>> by_capsule;
  for (const auto& [role, member] : next.places()) {
    if (except && except->first == role && except->second == member) continue;
    auto part = HECTOR_TRY(finder.part_of(next, role, member));
    const auto& reference = next.parties[static_cast<std::size_t>(role)][member]->reference;
    auto& [capsule, request] = by_capsule[reference.capsule_id];
    capsule = reference;
    auto* one = request.add_parties();
    *one->mutable_part() = std::move(part);
    for (const auto symbol :
         types::seen_by(type_, history, static_cast<std::uint32_t>(role), member))
      one->add_way(symbol);
  }
  for (const auto& [id, message] : by_capsule) {
    if (auto done =
            finder.tell<Empty>(message.first, CoordinatorOperation::kReconfigure, message.second);
        !done)
      return fail(done.error());
  }
  return {};
}

Result<Joined> BindingController::join(const binding::v1::JoinRequest& request) {
  const std::lock_guard one(change_mutex_);
  auto finder = this->finder();
  auto role = HECTOR_TRY(role_of(request.role()));
  const auto max = type_.roles(role).members_max();
  if (max >= 0 && formation_.members(role) >= static_cast<std::size_t>(max)) {
    return fail(Code::kResourceExhausted,
                fmt::format("role '{}' has {} members, all it may have", request.role(), max));
  }
  auto found = HECTOR_TRY(candidate(finder, role, request.who()));
  Formation next = formation_;
  auto& members = next.parties[static_cast<std::size_t>(role)];
  const auto gap = std::find(members.begin(), members.end(), std::nullopt);
  const auto number = static_cast<std::uint32_t>(gap - members.begin());
  if (gap == members.end()) members.emplace_back();
  found.session = core_.options.random->next();
  members[number] = found;
  HECTOR_TRY(prepare(finder, next, role, number));
  const auto undo = [&](const Error& why) {
    drop(finder, found, role, number);
    return fail(why);
  };
  auto history =
      moment_for(finder, next, std::nullopt, or_default(request.wait_ms(), kWaitDefault),
                 fmt::format("'{}' cannot join role '{}'", found.reference.object, request.role()));
  if (!history) return undo(history.error());
  hector::kernel::v1::Adopt adopt;
  *adopt.mutable_party() = placed(found, role, number);
  for (const auto symbol :
       types::seen_by(type_, *history, static_cast<std::uint32_t>(role), number))
    adopt.mutable_position()->add_way(symbol);
  auto done = finder.tell<Empty>(found.reference, CoordinatorOperation::kAdopt, adopt);
  Status configured = done ? reconfigure(finder, next, *history, std::pair{role, number})
                           : Status(fail(done.error()));
  if (configured) {
    if (auto active =
            finder.tell<Empty>(found.reference, CoordinatorOperation::kActivate, adopt.party());
        !active)
      configured = fail(active.error());
  }
  if (!configured) {
    static_cast<void>(reconfigure(finder, formation_, *history, std::nullopt));
    go_on(finder, formation_);
    return undo(configured.error());
  }
  go_on(finder, next);
  note("joined",
       fmt::format("{} {}: '{}' ({})", request.role(), number, found.reference.object, found.how));
  Joined joined;
  joined.set_number(number);
  joined.set_object(found.reference.object);
  adopt_formation(finder, std::move(next));
  return joined;
}

Status BindingController::leave(const binding::v1::LeaveRequest& request) {
  const std::lock_guard one(change_mutex_);
  auto finder = this->finder();
  const auto place = HECTOR_TRY(place_of(request.role(), request.number()));
  const auto [role, member] = place;
  const auto& kind = type_.roles(role);
  if (formation_.members(role) <= kind.members_min() &&
      !(kind.optional() && formation_.members(role) == 1)) {
    return fail(Code::kFailedPrecondition,
                fmt::format("role '{}' must keep {} members; rebind it to another party instead",
                            request.role(), kind.members_min()));
  }
  Formation next = formation_;
  const Candidate gone = *next.parties[static_cast<std::size_t>(role)][member];
  next.parties[static_cast<std::size_t>(role)][member].reset();
  auto history =
      moment_for(finder, next, std::pair{role, member}, or_default(request.wait_ms(), kWaitDefault),
                 fmt::format("'{}' cannot leave role '{}'", gone.reference.object, request.role()));
  if (!history) return fail(history.error());
  if (auto done = reconfigure(finder, next, *history, std::nullopt); !done) {
    go_on(finder, formation_);
    return done;
  }
  drop(finder, gone, role, member);
  go_on(finder, next);
  note("left", fmt::format("{} {}: '{}'", request.role(), member, gone.reference.object));
  adopt_formation(finder, std::move(next));
  return {};
}

// --- to stop, to go on, to move
// ----------------------------------------------------------------------------------------------

Status BindingController::suspend() {
  const std::lock_guard one(change_mutex_);
  auto finder = this->finder();
  if (auto sealed = freeze(finder, true); !sealed) {
    go_on(finder, formation_);
    return fail(sealed.error());
  }
  {
    const std::lock_guard lock(mutex_);
    state_ = "suspended";
  }
  note("suspended", "calls wait");
  return {};
}

Status BindingController::resume() {
  const std::lock_guard one(change_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (state_ != "suspended")
      return fail(Code::kFailedPrecondition,
                  fmt::format("the Binding is {}, not suspended", state_));
    state_ = "active";
  }
  auto finder = this->finder();
  go_on(finder, formation_);
  note("resumed", "calls go on");
  return {};
}

Result<binding::v1::Moved> BindingController::move(const binding::v1::MoveRequest& request) {
  const std::lock_guard one(change_mutex_);
  auto finder = this->finder();
  const auto place = HECTOR_TRY(place_of(request.role(), request.number()));
  const auto [role, member] = place;
  hector::kernel::v1::MoveChannel change;
  change.set_binding(id_);
  change.set_role(request.role());
  change.set_member(member);
  change.set_only(request.protocol());
  binding::v1::Moved moved;
  std::vector<std::string> refused;
  const std::string to =
      formation_.parties[static_cast<std::size_t>(role)][member]->reference.object;
  for (const auto& capsule : live(formation_)) {
    auto done = finder.tell<kernel::v1::MovedChannel>(capsule, CoordinatorOperation::kMove, change);
    if (!done) {
      refused.push_back(fmt::format("capsule {}: {}", capsule.capsule, done.error().text()));
      continue;
    }
    for (const auto& each : done->moves()) {
      moved.add_moves(fmt::format("{} -> {}: {} {} ({})", each.from(), to,
                                  each.profile().protocol(), each.profile().address(), each.why()));
      const std::lock_guard lock(mutex_);
      for (auto& channel : *explained_.mutable_channels()) {
        if (channel.from() != each.from() || channel.to() != to) continue;
        channel.set_protocol(each.profile().protocol());
        channel.set_address(each.profile().address());
        channel.set_why(each.why());
      }
    }
  }
  if (moved.moves().empty())
    return fail(Error{Code::kFailedPrecondition,
                      fmt::format("no channel to {} {} was moved", request.role(), member),
                      {},
                      {},
                      std::move(refused)});
  note("moved", fmt::format("{}", fmt::join(moved.moves(), "; ")));
  return moved;
}

// --- it looks after itself
// ----------------------------------------------------------------------------------------------

void BindingController::suspect(const kernel::v1::Place& place) {
  std::uint64_t capsule = 0;
  {
    const std::lock_guard lock(mutex_);
    const int role = types::role_position(type_, place.role());
    if (role < 0 || place.member() >= formation_.parties[static_cast<std::size_t>(role)].size())
      return;
    const auto& party = formation_.parties[static_cast<std::size_t>(role)][place.member()];
    if (!party) return;
    capsule = party->reference.capsule_id;
  }
  if (!place.dimension().empty()) return breached(place);
  if (capsule == core_.capsule_id) {
    alive(capsule);
  } else {
    health_.ask_now(capsule);
  }
}

void BindingController::breached(const kernel::v1::Place& place) {
  if (place.dimension() == "overrun") {
    note("failed", place.text());
    {
      const std::lock_guard lock(mutex_);
      state_ = "failed";
      why_ = place.text();
      code_ = Code::kDeadlineExceeded;
    }
    return end_();
  }
  note("breach", fmt::format("{} {}: {}", place.role(), place.member(), place.text()));
  const int role = types::role_position(type_, place.role());
  if (!types::is_traded_again(type_.roles(role), "breach")) return;
  binding::v1::RebindRequest request;
  request.set_role(place.role());
  request.set_number(place.member());
  if (auto rebound = rebind(request); !rebound)
    note("breach", fmt::format("{} {} keeps its party: {}", place.role(), place.member(),
                               rebound.error().text()));
}

void BindingController::alive(std::uint64_t capsule_id) {
  const std::lock_guard one(change_mutex_);
  const auto capsules = formation_.capsules();
  if (std::none_of(capsules.begin(), capsules.end(),
                   [&](const Reference& capsule) { return capsule.capsule_id == capsule_id; }))
    return;
  auto finder = this->finder();
  go_on(finder, formation_);
}

void BindingController::lost(std::uint64_t capsule_id) {
  const std::lock_guard one(change_mutex_);
  auto finder = this->finder();
  std::vector<std::pair<int, std::uint32_t>> places;
  for (const auto& place : formation_.places()) {
    if (formation_.parties[static_cast<std::size_t>(place.first)][place.second]
            ->reference.capsule_id == capsule_id)
      places.push_back(place);
  }
  for (const auto& [role, member] : places) {
    {
      const std::lock_guard lock(mutex_);
      lost_.insert({role, member});
    }
    note("lost",
         fmt::format(
             "{} {}: '{}' of capsule '{}' does not answer any more", formation_.role_name(role),
             member, formation_.parties[static_cast<std::size_t>(role)][member]->reference.object,
             formation_.parties[static_cast<std::size_t>(role)][member]->reference.capsule));
    kernel::v1::Place place;
    place.set_binding(id_);
    place.set_role(formation_.role_name(role));
    place.set_member(member);
    for (const auto& capsule : live(formation_)) {
      static_cast<void>(finder.tell<Empty>(capsule, CoordinatorOperation::kLose, place));
    }
  }
  for (const auto& [role, member] : places) {
    if (!types::is_traded_again(type_.roles(role), "failure")) continue;
    if (auto rebound = rebind(finder, role, member, "", kGraceDefault); !rebound) {
      note("lost", fmt::format("{} {} has no successor: {}", formation_.role_name(role), member,
                               rebound.error().text()));
    }
  }
}

}  // namespace hector
