#include "binding/coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "binding/object_state.h"
#include "binding/party_model.h"
#include "call/reference_model.h"
#include "channel/ping.h"
#include "hector/check.h"
#include "hector/coordinator.hector.h"
#include "party/closing.h"
#include "party/look.h"
#include "party/party_session.h"

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

/// A prepared party that is never committed is given up after this time: the initiator died.
constexpr Duration kPreparedFor = std::chrono::seconds(30);
/// The type of the error of a call that waited in a circle.
constexpr const char* kCycle = "hector.WaitCycle";

class Coordinator final : public CoordinatorServant {
 public:
  Coordinator(Core& core, PartRights& rights) : core_(core), rights_(rights) {}

  void describe_offer(const OfferQuery& query, Reply<OfferDescription> reply) override {
    const OfferPtr offer = query.offer() != 0 ? core_.offers.find(query.offer())
                                              : core_.offers.find_object(query.object());
    if (!offer)
      return reply.fail(Error::not_found(
          fmt::format("no Object '{}' in capsule '{}'", query.object(), core_.options.capsule)));
    OfferDescription description;
    *description.mutable_reference() = to_model(core_.references.of(*offer));
    *description.mutable_interface() = offer->interface->typed_model();
    const auto properties = offer->properties.get();
    description.mutable_properties()->insert(properties.begin(), properties.end());
    reply(std::move(description));
  }

  // While a Binding runs: each on a thread that may block.

  void pause(const kernel::v1::Place& place, Reply<Positions> reply) override {
    on_worker(reply, [this, place]() -> Result<Positions> {
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
    });
  }

  void freeze(const Freeze& request, Reply<Positions> reply) override {
    on_worker(reply, [this, request]() -> Result<Positions> {
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
    });
  }

  void hand_over(const HandOver& request, Reply<Position> reply) override {
    on_worker(reply, [this, request]() -> Result<Position> {
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
    });
  }

  void arrived(const Arrived& request, Reply<Empty> reply) override {
    on_worker(reply, [this, request]() -> Result<Empty> {
      for (const auto& session : sessions(request.from().binding())) {
        google::protobuf::RepeatedPtrField<Count> expected;
        for (const auto& count : request.expected()) {
          if (count.role() != session->role_number() || count.member() != session->member())
            continue;
          *expected.Add() = count;
          expected[expected.size() - 1].set_role(static_cast<std::uint32_t>(
              types::role_position(session->type(), request.from().role())));
          expected[expected.size() - 1].set_member(request.from().member());
        }
        HECTOR_TRY(session->changes().await_delivery(
            expected, std::chrono::milliseconds(request.grace_ms())));
      }
      return Empty{};
    });
  }

  void adopt(const Adopt& request, Reply<Empty> reply) override {
    on_worker(reply, [this, request]() -> Result<Empty> {
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
    });
  }

  void activate(const PlacedOffer& party, Reply<Empty> reply) override {
    on_worker(reply, [this, party]() -> Result<Empty> {
      const auto session = find(party);
      if (!session) return fail(gone(party.place()));
      session->activate();
      return Empty{};
    });
  }

  /// Opens the channels that replace() will need, so that nobody waits for a hand-shake later.
  void warm(const Replace& change, Reply<Empty> reply) override {
    std::vector<std::pair<std::string, std::shared_ptr<Channel>>> channels;
    for (const auto& session : sessions(change.place().binding())) {
      for (const auto& way : change.ways()) {
        if (way.role() != session->role() || way.member() != session->member() ||
            way.profile().protocol() == kInProcess)
          continue;
        auto channel = core_.protocols.connect({way.profile().protocol(), way.profile().address()});
        if (!channel) return reply.fail(channel.error());
        channels.emplace_back(fmt::format("{} at {} over {}", change.party().object(),
                                          change.party().capsule(), way.profile().protocol()),
                              *channel);
      }
    }
    probe(channels, reply.later());
  }

  void replace(const Replace& request, Reply<Empty> reply) override {
    on_worker(reply, [this, request]() -> Result<Empty> {
      const Replacement change = from_model(request);
      for (const auto& session : sessions(request.place().binding())) {
        const int role = types::role_position(session->type(), change.role);
        if (session->role() == change.role || role < 0) continue;
        HECTOR_TRY(session->changes().replace(change));
      }
      return Empty{};
    });
  }

  void reconfigure(const Reconfigure& request, Reply<Empty> reply) override {
    on_worker(reply, [this, request]() -> Result<Empty> {
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
    });
  }

  void lose(const kernel::v1::Place& place, Reply<Empty> reply) override {
    on_worker(reply, [this, place]() -> Result<Empty> {
      for (const auto& session : sessions(place.binding())) {
        const int role = types::role_position(session->type(), place.role());
        if (role >= 0) session->changes().lose({static_cast<std::uint32_t>(role), place.member()});
      }
      return Empty{};
    });
  }

  void resume(const BindingId& id, Reply<Empty> reply) override {
    on_worker(reply, [this, id]() -> Result<Empty> {
      for (const auto& session : sessions(id.binding())) {
        if (!session->is_active()) continue;
        session->enlist();  // a successor that came to nothing may have stood in its place
        session->resume();
      }
      return Empty{};
    });
  }

  /// At once, on whichever thread: others may be what is looked for.
  void look(const BindingId& id, Reply<kernel::v1::Look> reply) override {
    reply(look_at(sessions(id.binding())));
  }

  void refuse_held(const kernel::v1::RefuseHeld& request, Reply<Empty> reply) override {
    for (const auto& session : sessions(request.place().binding())) {
      if (session->role() != request.place().role() ||
          session->member() != request.place().member())
        continue;
      static_cast<void>(
          session->refuse_held(request.number(), Error::aborted(request.why()).with_type(kCycle)));
    }
    reply(Empty{});
  }

  void reset(const kernel::v1::Reset& request, Reply<Empty> reply) override {
    on_worker(reply, [this, request]() -> Result<Empty> {
      for (const auto& session : sessions(request.binding())) {
        for (const auto& one : request.parties()) {
          if (one.role() != session->role() || one.member() != session->member()) continue;
          HECTOR_TRY(session->reset({one.way().begin(), one.way().end()}, request.why()));
        }
      }
      return Empty{};
    });
  }

  void drop(const PlacedOffer& party, Reply<Empty> reply) override {
    on_worker(reply, [this, party]() -> Result<Empty> {
      if (const auto session = find(party))
        close_party(core_, *session, "another party plays its role");
      return Empty{};
    });
  }

  void suspect(const kernel::v1::Place& place, Reply<Empty> reply) override {
    on_worker(reply, [this, place]() -> Result<Empty> {
      if (core_.on_suspicion) core_.on_suspicion(place);
      return Empty{};
    });
  }

  void prepare(const PreparePart& part, Reply<Empty> given) override {
    const auto reply = given.later();
    // Of what this capsule binds itself its pipeline has asked already.
    const Peer* const binder = reply.call().peer;
    if (!core_.rights.are_asked() || (binder != nullptr && binder->protocol == kInProcess))
      return prepare_now(part, reply);
    core_.blocking.run([this, part, reply] {
      if (auto may = rights_.admit(part); !may) return reply.fail(std::move(may.error()));
      prepare_now(part, reply);
    });
  }

  void commit(const BindingId& id, Reply<Empty> reply) override {
    bool is_any = false;
    for (const auto& session : sessions(id.binding())) {
      if (session->is_successor()) continue;
      session->activate();
      is_any = true;
    }
    if (!is_any)
      return reply.fail(
          Error::not_found("this Binding was not prepared here, or its preparation timed out"));
    reply(Empty{});
  }

  void release(const BindingId& id, Reply<Empty> reply) override {
    close_parties(core_, id.binding(), id.why().empty() ? "it was released" : id.why(),
                  id.code() == 0 ? Code::kUnavailable : code_from_number(id.code()));
    reply(Empty{});
  }

  void move_channel(const MoveChannel& request, Reply<MovedChannel> reply) override {
    on_worker(reply, [this, request]() -> Result<MovedChannel> {
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
    });
  }

 private:
  /// Changes wait for threads to leave and for messages to arrive: not on the thread that reads
  /// them.
  template <class Out, class Work>
  void on_worker(Reply<Out> reply, Work work) {
    auto task = [reply = reply.later(), work = std::move(work)] { reply(work()); };
    if (BlockingPool::is_here()) return task();  // a change that this capsule makes itself
    core_.blocking.run(std::move(task));
  }

  void prepare_now(const PreparePart& part, Reply<Empty> reply) {
    auto session = prepare_party(part);
    if (!session) return reply.fail(session.error());
    probe((*session)->remote_channels(), reply);
  }

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

  Result<std::shared_ptr<PartySession>> prepare_party(const PreparePart& part) {
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
      if (held && held->is_prepared()) close_party(core_, *held, "it was not committed in time");
    });
    return session;
  }

  /// Asks every partner's capsule one small question over its channel; replies when all have
  /// answered.
  void probe(const std::vector<std::pair<std::string, std::shared_ptr<Channel>>>& channels,
             Reply<Empty> reply) {
    struct Probes {
      std::atomic<std::size_t> outstanding;
      std::mutex mutex;
      std::vector<std::string> failed;
    };
    // Owners: the answers, of which the last one replies.
    auto probes = std::make_shared<Probes>();
    probes->outstanding = channels.size() + 1;
    const auto one_less = [probes, reply] {
      const std::size_t before = probes->outstanding.fetch_sub(1);
      HECTOR_CHECK(before > 0, "a probe is answered twice");
      if (before != 1) return;
      if (probes->failed.empty()) return reply(Empty{});
      reply.fail({Code::kUnavailable, "a partner cannot be reached", {}, {}, probes->failed});
    };
    for (const auto& [name, channel] : channels) {
      auto& question = CallbackCall::make([probes, one_less, name = name](Call& answered) {
        // Any answer is one: a foreign server does not know the question.
        if (answered.error && (answered.error->code == Code::kUnavailable ||
                               answered.error->code == Code::kDeadlineExceeded)) {
          const std::lock_guard lock(probes->mutex);
          probes->failed.push_back(name + ": " + answered.error->message);
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
  PartRights& rights_;
};

}  // namespace

std::unique_ptr<Servant> make_coordinator(Core& core, PartRights& rights) {
  return std::make_unique<Coordinator>(core, rights);
}

}  // namespace hector
