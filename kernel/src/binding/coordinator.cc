#include "binding/coordinator.h"

#include <fmt/format.h>

#include "binding/session.h"
#include "binding/target.h"
#include "hector/typed.h"
#include "offers/builtin.h"
#include "runtime/reference_model.h"

namespace hector {

using kernel::v1::BindingId;
using kernel::v1::Empty;
using kernel::v1::MoveChannel;
using kernel::v1::MovedChannel;
using kernel::v1::OfferDescription;
using kernel::v1::OfferQuery;
using kernel::v1::PreparePart;

namespace {

/// A prepared party that is never committed is given up after this time: the binder died.
constexpr Duration kPreparedFor = std::chrono::seconds(30);

class Coordinator {
 public:
  explicit Coordinator(Core& core) : core_(core) {}

  void describe(Call& call) {
    answer<OfferQuery>(call, [&](const OfferQuery& query) -> Result<OfferDescription> {
      const OfferPtr offer = query.offer() != 0 ? core_.offers.find(query.offer()) : core_.offers.find_object(query.object());
      if (!offer) return fail(Code::kNotFound, fmt::format("no Object '{}' in capsule '{}'", query.object(), core_.options.capsule));
      OfferDescription description;
      *description.mutable_reference() = to_model(core_.reference_of(*offer));
      *description.mutable_interface() = offer->interface->typed_model();
      return description;
    });
  }

  void prepare(Call& given) {
    auto part = read_message<PreparePart>(given.request);
    if (!part) return given.fail(part.error());
    auto session = reserve(*part);
    if (!session) return given.fail(session.error());
    Call& call = given.defer();
    probe(*session, call);
  }

  void commit(Call& call) {
    answer<BindingId>(call, [&](const BindingId& id) -> Result<Empty> {
      bool any = false;
      for (const auto& session : sessions(id.binding())) {
        session->activate();
        any = true;
      }
      if (!any) return fail(Code::kNotFound, "this Binding was not prepared here, or was given up");
      return Empty{};
    });
  }

  void release(Call& call) {
    answer<BindingId>(call, [&](const BindingId& id) -> Result<Empty> {
      close_parties(core_, id.binding(), "it was released");
      return Empty{};
    });
  }

  void move(Call& call) {
    answer<MoveChannel>(call, [&](const MoveChannel& request) -> Result<MovedChannel> {
      MovedChannel moved;
      for (const auto& session : sessions(request.binding())) {
        const int role = types::role_position(session->part().type(), request.role());
        if (role < 0 || !session->uses(static_cast<std::uint32_t>(role), request.member(), request.exclude())) continue;
        auto done = session->move_channel(static_cast<std::uint32_t>(role), request.member(), request.exclude(), request.dry_run());
        if (!done) return fail(done.error());
        auto* move = moved.add_moves();
        move->set_from(session->offer()->object);
        move->mutable_profile()->set_protocol(done->first.protocol);
        move->mutable_profile()->set_address(done->first.address);
        move->set_why(done->second);
      }
      return moved;
    });
  }

 private:
  std::vector<std::shared_ptr<PartySession>> sessions(std::uint64_t binding) {
    const std::lock_guard lock(core_.bindings_mutex);
    std::vector<std::shared_ptr<PartySession>> found;
    for (auto at = core_.parties.lower_bound({binding, ""}); at != core_.parties.end() && at->first.first == binding; ++at) found.push_back(at->second);
    return found;
  }

  Result<std::shared_ptr<PartySession>> reserve(const PreparePart& part) {
    const OfferPtr offer = core_.offers.find(part.offer());
    if (!offer) return fail(Code::kUnavailable, fmt::format("role '{}': the Offer is gone from capsule '{}'", part.role(), core_.options.capsule));
    auto session = PartySession::make(core_, part, offer);
    if (!session) return fail(session.error());
    if (auto reserved = OfferTable::reserve(*offer); !reserved) return fail(reserved.error());
    if (auto connected = (*session)->connect(); !connected) {
      OfferTable::release(*offer);
      return fail(connected.error());
    }
    for (int r = 0; r < part.roles_size(); ++r) {
      for (int m = 0; m < part.roles(r).members_size(); ++m) {
        const auto role = static_cast<std::uint32_t>(r), member = static_cast<std::uint32_t>(m);
        core_.sessions.add(channel_id(part.session(), role, member), {*session, role, member});
      }
    }
    {
      const std::lock_guard lock(core_.bindings_mutex);
      core_.parties.emplace(std::pair{part.binding(), fmt::format("{}.{:05}", part.role(), part.member())}, *session);
    }
    std::weak_ptr<PartySession> weak = *session;
    core_.options.executor->at(core_.options.clock->now() + kPreparedFor, [this, weak, binding = part.binding()] {
      const auto held = weak.lock();
      if (held && !held->is_active()) close_parties(core_, binding, "it was not committed in time");
    });
    return session;
  }

  /// Asks every partner's capsule one small question over its channel; the prepare ends when all have answered.
  void probe(const std::shared_ptr<PartySession>& session, Call& call) {
    struct Joined {
      std::atomic<std::size_t> left;
      std::mutex mutex;
      std::vector<std::string> failed;
      Call* call;
    };
    const auto channels = session->remote_channels();
    auto joined = std::make_shared<Joined>();
    joined->left = channels.size() + 1;
    joined->call = &call;
    const auto one_less = [joined] {
      if (joined->left.fetch_sub(1) != 1) return;
      if (joined->failed.empty()) return joined->call->complete(write_message(Empty{}));
      joined->call->fail({Code::kUnavailable, "a partner cannot be reached", {}, {}, joined->failed});
    };
    for (const auto& [name, channel] : channels) {
      auto& question = CallbackCall::make([joined, one_less, name = name](Call& answered) {
        // Any answer is one: a server of another system does not know the question.
        if (answered.error && (answered.error->code == Code::kUnavailable || answered.error->code == Code::kDeadlineExceeded)) {
          const std::lock_guard lock(joined->mutex);
          joined->failed.push_back(name + ": " + answered.error->message);
        }
        one_less();
      });
      question.header.object = kCoordinatorName;
      question.header.interface_name = "hector.Coordinator";
      question.header.operation_name = coordinator_operation_name(CoordinatorOperation::kDescribe);
      question.header.principal = core_.options.principal;
      question.header.deadline = core_.options.clock->now() + std::chrono::seconds(5);
      OfferQuery query;
      query.set_object(kCoordinatorName);
      question.request = write_message(query);
      channel->start(question);
    }
    one_less();
  }

  Core& core_;
};

}  // namespace

std::string coordinator_operation_name(CoordinatorOperation operation) {
  static constexpr const char* kNames[] = {"describe_offer", "prepare", "commit", "release", "move_channel"};
  return kNames[static_cast<std::size_t>(operation)];
}

hector::type::v1::Interface coordinator_interface() {
  return builtin_interface("hector.Coordinator", "Describes Offers; prepares, commits, releases and moves the parties of Bindings.",
                           {builtin_rpc<OfferQuery, OfferDescription>("describe_offer"), builtin_rpc<PreparePart, Empty>("prepare"),
                            builtin_rpc<BindingId, Empty>("commit"), builtin_rpc<BindingId, Empty>("release"),
                            builtin_rpc<MoveChannel, MovedChannel>("move_channel")});
}

std::unique_ptr<Servant> make_coordinator(Core& core) {
  auto coordinator = std::make_shared<Coordinator>(core);
  return std::make_unique<TableServant>(std::vector<TableServant::Handler>{
      [coordinator](Call& call) { coordinator->describe(call); }, [coordinator](Call& call) { coordinator->prepare(call); },
      [coordinator](Call& call) { coordinator->commit(call); }, [coordinator](Call& call) { coordinator->release(call); },
      [coordinator](Call& call) { coordinator->move(call); }});
}

Result<OfferDescription> describe_remote(Core& core, const Reference& reference) {
  auto coordinator = coordinator_of(core, reference);
  if (!coordinator) return fail(coordinator.error());
  OfferQuery query;
  query.set_offer(reference.offer);
  query.set_object(reference.object);
  auto description = call_and_wait<OfferDescription>(**coordinator, *core.options.clock, kByName,
                                                     coordinator_operation_name(CoordinatorOperation::kDescribe), query);
  if (!description) {
    Error error = description.error();
    error.message = fmt::format("'{}' of capsule '{}': {}", reference.object, reference.capsule, error.message);
    return fail(std::move(error));
  }
  return description;
}

Result<types::CompiledPtr> describe_offer(Core& core, const Reference& reference) {
  auto description = describe_remote(core, reference);
  if (!description) return fail(description.error());
  if (auto added = core.types.add(description->interface())) return *added;
  return types::CompiledInterface::make(description->interface());
}

void close_parties(Core& core, std::uint64_t binding, const std::string& why) {
  std::vector<std::shared_ptr<PartySession>> closed;
  {
    const std::lock_guard lock(core.bindings_mutex);
    auto at = core.parties.lower_bound({binding, ""});
    while (at != core.parties.end() && at->first.first == binding) {
      closed.push_back(at->second);
      at = core.parties.erase(at);
    }
  }
  for (const auto& session : closed) {
    const auto& part = session->part();
    for (int r = 0; r < part.roles_size(); ++r) {
      for (int m = 0; m < part.roles(r).members_size(); ++m) {
        core.sessions.remove(channel_id(part.session(), static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(m)));
      }
    }
    session->close(why);
    OfferTable::release(*session->offer());
  }
}

}  // namespace hector
