#include "binding/coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "binding/party_model.h"
#include "call/reference_model.h"
#include "hector/awaited.h"
#include "hector/message_calls.h"
#include "hector/table_servant.h"
#include "party/party_session.h"
#include "party/target.h"
#include "services/builtin.h"

namespace hector {

using kernel::v1::Adopt;
using kernel::v1::Arrived;
using kernel::v1::BindingId;
using kernel::v1::Count;
using kernel::v1::Empty;
using kernel::v1::Freeze;
using kernel::v1::HandOver;
using kernel::v1::MoveChannel;
using kernel::v1::MovedChannel;
using kernel::v1::OfferDescription;
using kernel::v1::OfferQuery;
using kernel::v1::PlacedOffer;
using kernel::v1::Position;
using kernel::v1::Positions;
using kernel::v1::PreparePart;
using kernel::v1::Reconfigure;
using kernel::v1::Replace;

namespace {

/// A prepared party that is never committed is given up after this time: the binder died.
constexpr Duration kPreparedFor = std::chrono::seconds(30);
/// How long an Object may take to save or restore its state.
constexpr std::chrono::seconds kStateWithin{5};

/// Runs in the Object; this thread waits for it.
template <class Answer>
Answer in_object(ObjectHost& host, std::function<Answer(Servant&)> ask) {
  Awaited<Answer> answer;
  host.notify(
      [bring = answer.callback(), ask = std::move(ask)](Servant& servant) { bring(ask(servant)); });
  if (auto brought = answer.wait_for(kStateWithin)) return std::move(*brought);
  return fail(
      Error::deadline_exceeded(fmt::format("'{}' did not answer about its state within {} s",
                                           host.options().name, kStateWithin.count())));
}

}  // namespace

Result<std::optional<Bytes>> saved_state(ObjectHost& host) {
  return in_object<Result<std::optional<Bytes>>>(
      host, [](Servant& servant) -> Result<std::optional<Bytes>> {
        if (!servant.has_state()) return std::optional<Bytes>();
        auto state = HECTOR_TRY(servant.save());
        return std::optional<Bytes>(std::move(state));
      });
}
Status restore_state(ObjectHost& host, const std::string& state) {
  return in_object<Status>(host, [state](Servant& servant) -> Status {
    if (servant.has_state()) return servant.restore(Bytes::copy(state));
    return fail(
        Code::kFailedPrecondition,
        "its predecessor hands over a state, and this template takes none (it has no restore)");
  });
}

namespace {

class Coordinator {
 public:
  explicit Coordinator(Core& core) : core_(core) {}

  void describe(Call& call) {
    answer<OfferQuery>(call, [&](const OfferQuery& query) -> Result<OfferDescription> {
      const OfferPtr offer = query.offer() != 0 ? core_.offers.find(query.offer())
                                                : core_.offers.find_object(query.object());
      if (!offer)
        return fail(Code::kNotFound, fmt::format("no Object '{}' in capsule '{}'", query.object(),
                                                 core_.options.capsule));
      OfferDescription description;
      *description.mutable_reference() = to_model(core_.references.of(*offer));
      *description.mutable_interface() = offer->interface->typed_model();
      const auto properties = offer->properties.get();
      description.mutable_properties()->insert(properties.begin(), properties.end());
      return description;
    });
  }

  // --- while a Binding runs: each on a thread that may block
  // ---------------------------------------------------------------------------------

  Result<Positions> pause(const kernel::v1::Place& place) {
    Positions positions;
    for (const auto& session : sessions(place.binding())) {
      const int role = types::role_position(session->type(), place.role());
      const hector::Place at{static_cast<std::uint32_t>(role), place.member()};
      if (role < 0 || !session->uses(at, "")) continue;
      auto* party = positions.add_parties();
      party->set_role(session->role());
      party->set_member(session->member());
      const auto sent = session->changes().pause(at);
      auto* count = party->mutable_position()->add_sent();
      count->set_role(session->role_number());
      count->set_member(session->member());
      count->set_messages(sent.messages);
      count->set_flows(sent.flows);
    }
    return positions;
  }

  Result<Positions> freeze(const Freeze& request) {
    Positions positions;
    auto parties = sessions(request.binding());
    std::erase_if(parties, [](const auto& session) {
      return !session->is_active();
    });  // a successor in the making stands nowhere yet
    for (const auto& session : parties)
      session->changes().freeze(request.seal() ? party::Changes::Extent::kStartsAndArrivals
                                               : party::Changes::Extent::kStarts);
    for (const auto& session : parties) {
      auto* party = positions.add_parties();
      party->set_role(session->role());
      party->set_member(session->member());
      *party->mutable_position() = session->changes().position();
      party->set_leaving(session->leaving());
      for (const auto symbol : session->waiting()) party->add_waiting(symbol);
    }
    return positions;
  }

  Result<Position> hand_over(const HandOver& request) {
    const auto session = find(request.party());
    if (!session) return fail(gone(request.party().place()));
    const Duration grace = std::chrono::milliseconds(request.grace_ms());
    HECTOR_TRY(session->changes().await_delivery(request.expected(), grace));
    HECTOR_TRY(session->changes().quiesce(grace));
    Position position = session->changes().position();
    auto state = saved_state(*session->offer()->host);
    if (!state) {
      session->resume();
      return fail(state.error());
    }
    if (*state) {
      position.set_has_state(true);
      position.set_state(std::string((*state)->view()));
    }
    return position;
  }

  Result<Empty> arrived(const Arrived& request) {
    for (const auto& session : sessions(request.from().binding())) {
      google::protobuf::RepeatedPtrField<Count> expected;
      for (const auto& count : request.expected()) {
        if (count.role() != session->role_number() || count.member() != session->member()) continue;
        *expected.Add() = count;
        expected[expected.size() - 1].set_role(static_cast<std::uint32_t>(
            types::role_position(session->type(), request.from().role())));
        expected[expected.size() - 1].set_member(request.from().member());
      }
      HECTOR_TRY(session->changes().await_delivery(expected,
                                                   std::chrono::milliseconds(request.grace_ms())));
    }
    return Empty{};
  }

  Result<Empty> adopt(const Adopt& request) {
    const auto session = find(request.party());
    if (!session) return fail(gone(request.party().place()));
    HECTOR_TRY(session->changes().take_position(request.position()));
    if (request.position().has_state()) {
      if (auto restored = restore_state(*session->offer()->host, request.position().state());
          !restored)
        return fail(restored.error());
    }
    session->enlist();
    return Empty{};
  }

  Result<Empty> activate(const PlacedOffer& party) {
    const auto session = find(party);
    if (!session) return fail(gone(party.place()));
    session->activate();
    return Empty{};
  }

  /// Opens the channels that replace() will need, so that nobody waits for a hand-shake later.
  void warm(Call& given) {
    auto change = read_message<Replace>(given.request);
    if (!change) return given.fail(change.error());
    std::vector<std::pair<std::string, std::shared_ptr<Channel>>> channels;
    for (const auto& session : sessions(change->place().binding())) {
      for (const auto& way : change->ways()) {
        if (way.role() != session->role() || way.member() != session->member() ||
            way.profile().protocol() == kInProcess)
          continue;
        auto channel = core_.protocols.connect({way.profile().protocol(), way.profile().address()});
        if (!channel) return given.fail(channel.error());
        channels.emplace_back(fmt::format("{} at {} over {}", change->party().object(),
                                          change->party().capsule(), way.profile().protocol()),
                              *channel);
      }
    }
    probe(channels, given.defer());
  }

  Result<Empty> replace(const Replace& request) {
    const Replacement change = from_model(request);
    for (const auto& session : sessions(request.place().binding())) {
      const int role = types::role_position(session->type(), change.role);
      if (session->role() == change.role || role < 0) continue;
      HECTOR_TRY(session->changes().replace(change));
    }
    return Empty{};
  }

  Result<Empty> reconfigure(const Reconfigure& request) {
    for (const auto& one : request.parties()) {
      PlacedOffer party;
      party.mutable_place()->set_binding(one.part().binding());
      party.mutable_place()->set_role(one.part().role());
      party.mutable_place()->set_member(one.part().member());
      party.set_offer(one.part().offer());
      const auto session = find(party);
      if (!session) return fail(gone(party.place()));
      HECTOR_TRY(session->changes().reconfigure(from_model(one.part()),
                                                {one.way().begin(), one.way().end()}));
    }
    return Empty{};
  }

  Result<Empty> lose(const kernel::v1::Place& place) {
    for (const auto& session : sessions(place.binding())) {
      const int role = types::role_position(session->type(), place.role());
      if (role >= 0) session->changes().lose({static_cast<std::uint32_t>(role), place.member()});
    }
    return Empty{};
  }

  Result<Empty> resume(const BindingId& id) {
    for (const auto& session : sessions(id.binding())) {
      if (!session->is_active()) continue;
      session->enlist();  // a successor that came to nothing may have stood in its place
      session->resume();
    }
    return Empty{};
  }

  Result<Empty> drop(const PlacedOffer& party) {
    if (const auto session = find(party))
      close_party(core_, session, "another party plays its role");
    return Empty{};
  }

  Result<Empty> suspect(const kernel::v1::Place& place) {
    if (core_.on_suspicion) core_.on_suspicion(place);
    return Empty{};
  }

  Core& core() { return core_; }

  void prepare(Call& given) {
    auto part = read_message<PreparePart>(given.request);
    if (!part) return given.fail(part.error());
    auto session = reserve(*part);
    if (!session) return given.fail(session.error());
    Call& call = given.defer();
    probe((*session)->remote_channels(), call);
  }

  void commit(Call& call) {
    answer<BindingId>(call, [&](const BindingId& id) -> Result<Empty> {
      bool any = false;
      for (const auto& session : sessions(id.binding())) {
        if (session->is_successor()) continue;
        session->activate();
        any = true;
      }
      if (!any) return fail(Code::kNotFound, "this Binding was not prepared here, or was given up");
      return Empty{};
    });
  }

  void release(Call& call) {
    answer<BindingId>(call, [&](const BindingId& id) -> Result<Empty> {
      close_parties(core_, id.binding(), id.why().empty() ? "it was released" : id.why(),
                    id.code() == 0 ? Code::kUnavailable : code_from_number(id.code()));
      return Empty{};
    });
  }

  Result<MovedChannel> move(const MoveChannel& request) {
    MovedChannel moved;
    for (const auto& session : sessions(request.binding())) {
      const int role = types::role_position(session->type(), request.role());
      const hector::Place to{static_cast<std::uint32_t>(role), request.member()};
      if (role < 0 || !session->uses(to, request.exclude())) continue;
      const auto done = HECTOR_TRY(session->changes().move({.to = to,
                                                            .exclude = request.exclude(),
                                                            .only = request.only(),
                                                            .is_trial = request.dry_run()}));
      auto* move = moved.add_moves();
      move->set_from(session->offer()->object);
      move->mutable_profile()->set_protocol(done.profile.protocol);
      move->mutable_profile()->set_address(done.profile.address);
      move->set_why(done.why);
    }
    return moved;
  }

 private:
  PartyTable::Sessions sessions(std::uint64_t binding) { return core_.parties.of_binding(binding); }
  std::shared_ptr<PartySession> find(const PlacedOffer& party) {
    for (auto& session : sessions(party.place().binding())) {
      if (session->role() == party.place().role() && session->member() == party.place().member() &&
          session->offer()->id == party.offer())
        return session;
    }
    return nullptr;
  }
  static Error gone(const kernel::v1::Place& place) {
    return {Code::kNotFound, fmt::format("no party plays '{}' {} of this Binding in this capsule",
                                         place.role(), place.member())};
  }

  Result<std::shared_ptr<PartySession>> reserve(const PreparePart& part) {
    const OfferPtr offer = core_.offers.find(part.offer());
    if (!offer)
      return fail(Code::kUnavailable, fmt::format("role '{}': the Offer is gone from capsule '{}'",
                                                  part.role(), core_.options.capsule));
    auto session = PartySession::make(core_, from_model(part), offer);
    if (!session) return fail(session.error());
    HECTOR_TRY(OfferTable::reserve(*offer));
    if (auto connected = (*session)->connect(); !connected) {
      OfferTable::release(*offer);
      return fail(connected.error());
    }
    if (!part.is_successor()) (*session)->enlist();  // a successor's place is still taken
    core_.parties.add((*session)->binding(), *(*session)->offer(), *session);
    std::weak_ptr<PartySession> weak = *session;
    core_.options.executor->at(core_.options.clock->now() + kPreparedFor, [this, weak] {
      const auto held = weak.lock();
      if (held && held->is_prepared()) close_party(core_, held, "it was not committed in time");
    });
    return session;
  }

  /// Asks every partner's capsule one small question over its channel; the call ends when all have
  /// answered.
  void probe(const std::vector<std::pair<std::string, std::shared_ptr<Channel>>>& channels,
             Call& call) {
    struct Joined {
      std::atomic<std::size_t> left;
      std::mutex mutex;
      std::vector<std::string> failed;
      Call* call;
    };
    auto joined = std::make_shared<Joined>();
    joined->left = channels.size() + 1;
    joined->call = &call;
    const auto one_less = [joined] {
      if (joined->left.fetch_sub(1) != 1) return;
      if (joined->failed.empty()) return joined->call->complete(write_message(Empty{}));
      joined->call->fail(
          {Code::kUnavailable, "a partner cannot be reached", {}, {}, joined->failed});
    };
    for (const auto& [name, channel] : channels) {
      auto& question = CallbackCall::make([joined, one_less, name = name](Call& answered) {
        // Any answer is one: a foreign server does not know the question.
        if (answered.error && (answered.error->code == Code::kUnavailable ||
                               answered.error->code == Code::kDeadlineExceeded)) {
          const std::lock_guard lock(joined->mutex);
          joined->failed.push_back(name + ": " + answered.error->message);
        }
        one_less();
      });
      write_ping(question);
      question.header.principal = core_.options.principal;
      question.header.deadline = core_.options.clock->now() + std::chrono::seconds(5);
      channel->start(question);
    }
    one_less();
  }

  Core& core_;
};

}  // namespace

hector::type::v1::Interface coordinator_interface() {
  return builtin_interface(
      "hector.Coordinator",
      "Describes Offers; prepares, commits, releases and moves the parties of Bindings.",
      {builtin_rpc<OfferQuery, OfferDescription>("describe_offer"),
       builtin_rpc<PreparePart, Empty>("prepare"), builtin_rpc<BindingId, Empty>("commit"),
       builtin_rpc<BindingId, Empty>("release"),
       builtin_rpc<MoveChannel, MovedChannel>("move_channel"),
       builtin_rpc<kernel::v1::Place, Positions>("pause"), builtin_rpc<Freeze, Positions>("freeze"),
       builtin_rpc<HandOver, Position>("hand_over"), builtin_rpc<Arrived, Empty>("arrived"),
       builtin_rpc<Adopt, Empty>("adopt"), builtin_rpc<PlacedOffer, Empty>("activate"),
       builtin_rpc<Replace, Empty>("warm"), builtin_rpc<Replace, Empty>("replace"),
       builtin_rpc<Reconfigure, Empty>("reconfigure"),
       builtin_rpc<kernel::v1::Place, Empty>("lose"), builtin_rpc<BindingId, Empty>("resume"),
       builtin_rpc<PlacedOffer, Empty>("drop"), builtin_rpc<kernel::v1::Place, Empty>("suspect")});
}

namespace {

/// Changes wait for threads to leave and for messages to come: not on the thread that reads them.
template <class In, class Out>
TableServant::Handler on_worker(const std::shared_ptr<Coordinator>& coordinator,
                                Result<Out> (Coordinator::*work)(const In&)) {
  return [coordinator, work](Call& given) {
    Call& call = given.defer();
    auto task = [coordinator, work, &call] {
      answer<In>(call, [&](const In& request) { return ((*coordinator).*work)(request); });
    };
    if (BlockingPool::is_here()) return task();  // a change that this capsule makes itself
    coordinator->core().blocking.run(std::move(task));
  };
}

}  // namespace

std::unique_ptr<Servant> make_coordinator(Core& core) {
  auto coordinator = std::make_shared<Coordinator>(core);
  return std::make_unique<TableServant>(std::vector<TableServant::Handler>{
      [coordinator](Call& call) { coordinator->describe(call); },
      [coordinator](Call& call) { coordinator->prepare(call); },
      [coordinator](Call& call) { coordinator->commit(call); },
      [coordinator](Call& call) { coordinator->release(call); },
      on_worker(coordinator, &Coordinator::move), on_worker(coordinator, &Coordinator::pause),
      on_worker(coordinator, &Coordinator::freeze), on_worker(coordinator, &Coordinator::hand_over),
      on_worker(coordinator, &Coordinator::arrived), on_worker(coordinator, &Coordinator::adopt),
      on_worker(coordinator, &Coordinator::activate),
      [coordinator](Call& call) { coordinator->warm(call); },
      on_worker(coordinator, &Coordinator::replace),
      on_worker(coordinator, &Coordinator::reconfigure), on_worker(coordinator, &Coordinator::lose),
      on_worker(coordinator, &Coordinator::resume), on_worker(coordinator, &Coordinator::drop),
      on_worker(coordinator, &Coordinator::suspect)});
}

void close_party(Core& core, const std::shared_ptr<PartySession>& session, const std::string& why,
                 Code code) {
  session->delist();
  if (!session->close(why, code)) return;
  core.parties.remove(session->binding(),
                      *session);  // only now: the deletion of its Object waits for this
  OfferTable::release(*session->offer());
}

void close_parties(Core& core, std::uint64_t binding, const std::string& why, Code code) {
  for (const auto& session : core.parties.of_binding(binding))
    close_party(core, session, why, code);
}

}  // namespace hector
