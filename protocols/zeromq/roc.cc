#include "roc.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <set>

#include "objects/forwarding.h"
#include "objects/gate.h"
#include "objects/world_object.h"
#include "reactor.h"
#include "relay.h"
#include "types_text.h"

namespace hector::zeromq {

using objects::Arguments;
using objects::Audience;
using objects::Description;
using objects::kReference;
using objects::Member;
using objects::Parameter;
using objects::ParameterKind;
using objects::text_in;
using objects::texts_in;
using objects::Use;
using objects::WorldObject;

Result<RocAddresses> RocAddresses::of(const std::string& broker) {
  const auto colon = broker.rfind(':');
  const int port = colon == std::string::npos ? 0 : std::atoi(broker.c_str() + colon + 1);
  if (!broker.starts_with("tcp://") || port <= 0 || port > 65'533)
    return fail(Code::kInvalidArgument, fmt::format("'{}' is no broker's address: tcp://HOST:PORT; "
                                                    "the two ports behind it relay status and logs",
                                                    broker));
  const std::string host = broker.substr(0, colon + 1);
  return RocAddresses{broker, host + std::to_string(port + 1), host + std::to_string(port + 2)};
}

std::optional<std::pair<std::string, Value>> status_for(const std::string& sensor,
                                                        const Value& value,
                                                        const std::string& mask) {
  if (mask.empty() || sensor == mask || sensor.starts_with(mask + "."))
    return std::pair(sensor, value);
  if (!mask.starts_with(sensor + ".")) return std::nullopt;
  const Value* at = &value;
  for (std::size_t from = sensor.size() + 1; from <= mask.size();) {
    const std::size_t dot = std::min(mask.find('.', from), mask.size());
    at = at->find(mask.substr(from, dot - from));
    if (at == nullptr) return std::nullopt;
    from = dot + 1;
  }
  return std::pair(mask, *at);
}

namespace {

constexpr Duration kDiscovery = std::chrono::milliseconds(250);
constexpr Duration kAskedAgain = std::chrono::seconds(5);  ///< where nobody has answered
constexpr Duration kDescribeTimeout = std::chrono::seconds(2);
constexpr Duration kDefaultTimeout = std::chrono::seconds(30);
constexpr std::size_t kPendingMax = 100'000;
constexpr const char* kServicesQuestion = "mmi.services";  ///< ours: other brokers answer 501

class BrokerEndpoint final : public Endpoint {
 public:
  BrokerEndpoint(const ProtocolContext& context, const RocOptions& options)
      : context_(context),
        broker_(options.broker, [this](const std::string& address, const Frames& frames) {
          send(address, frames);
        }) {}
  ~BrokerEndpoint() override { reactor_.stop(); }
  Status open(const RocOptions& options) {
    return on_reactor(reactor_, [this, options]() -> Status {
      auto router = HECTOR_TRY(reactor_.open(
          zmq::socket_type::router, Reactor::How::kBind, options.at.broker,
          [this](Frames frames) {
            const std::string address = std::move(frames.front());
            frames.erase(frames.begin());
            broker_.receive(address, frames, context_.clock->now());
          },
          [](zmq::socket_t& socket) { socket.set(zmq::sockopt::router_handover, true); }));
      router_ = router;
      if (auto relayed =
              relay_.open(reactor_, options.at.general_xsub, options.at.general_xpub, "");
          !relayed)
        return relayed;
      reactor_.every(
          std::min<Duration>(options.broker.heartbeat / 4, std::chrono::milliseconds(500)),
          [this] { broker_.tick(context_.clock->now()); });
      return {};
    });
  }
  std::string address() const override { return {}; }
  void drain(Duration) noexcept override { reactor_.stop(); }

 private:
  void send(const std::string& address, const Frames& frames) {
    Frames whole{address};
    whole.insert(whole.end(), frames.begin(), frames.end());
    Reactor::send(*router_, whole);  // who has gone is not told
  }
  const ProtocolContext& context_;
  Broker broker_;
  Reactor::Socket* router_ = nullptr;
  Relay relay_;
  Reactor reactor_;
};

// --- a node
// ----------------------------------------------------------------------------------------------

class Roc;

/// One Object of ours as a worker.
struct ShownWorker {
  Hosting::Resident object;
  std::shared_ptr<const objects::MessageCodec> codec;
  std::vector<objects::ShownMember> members;
  Reactor::Socket* socket = nullptr;
  TimePoint broker_seen;
  [[nodiscard]] const objects::ShownMember* find(const std::string& name) const {
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const auto& each) { return each.member.name == name; });
    return found == members.end() ? nullptr : &*found;
  }
};

class RpcCall final : public Call {
 public:
  RpcCall(std::shared_ptr<ShownWorker> worker, std::string principal, RpcDone done)
      : worker_(std::move(worker)), done_(std::move(done)) {
    own_peer_ = {std::move(principal), "zeromq", {}, Security::kNone};
    peer = &own_peer_;
  }

 private:
  void finished() noexcept override {
    if (error)
      done_(hector::fail(*error));
    else if (operation->kind == Kind::kAnnounce)
      done_(Value::null());
    else
      done_(worker_->codec->value_of_reply(*operation, reply.bytes()));
    delete this;
  }
  std::shared_ptr<ShownWorker> worker_;
  RpcDone done_;
  Peer own_peer_;
};

struct ServiceFacts {
  std::string service;
  Description description;
  objects::WrittenInterface interface;
};

class AdoptedService final : public Servant {
 public:
  AdoptedService(std::shared_ptr<Roc> roc, ServiceFacts facts,
                 std::shared_ptr<const objects::MessageCodec> codec, const Interface& interface)
      : roc_(std::move(roc)), facts_(std::move(facts)), codec_(std::move(codec)) {
    for (const auto& operation : interface.operations())
      routes_.push_back(&facts_.interface.route_of(operation.name));
  }
  void invoke(Call& call) noexcept override;

 private:
  const std::shared_ptr<Roc> roc_;
  const ServiceFacts facts_;
  const std::shared_ptr<const objects::MessageCodec> codec_;
  std::vector<const objects::Route*> routes_;
};

class Roc final : public std::enable_shared_from_this<Roc> {
 public:
  using Done = std::function<void(Result<std::string>)>;
  Roc(const ProtocolContext& context, RocOptions options)
      : context_(context),
        options_(std::move(options)),
        gate_(std::make_shared<objects::Gate>(
            context, objects::entity_of("Broker", options_.at.broker), options_.world.authorise)),
        statuses_([this](const Value&, bool there) { relay("ROCS", there); }),
        logs_([this](const Value&, bool there) { relay("ROCL", there); }) {}

  Status open() {
    auto opened = on_reactor(reactor_, [this]() -> Status {
      auto client =
          reactor_.open(zmq::socket_type::dealer, Reactor::How::kConnect, options_.at.broker,
                        [this](const Frames& frames) { answered(frames); });
      if (!client) return fail(client.error());
      client_ = *client;
      auto out = HECTOR_TRY(reactor_.open(zmq::socket_type::pub, Reactor::How::kConnect,
                                          options_.at.general_xsub, {}));
      out_ = out;
      auto in =
          reactor_.open(zmq::socket_type::sub, Reactor::How::kConnect, options_.at.general_xpub,
                        [this](const Frames& frames) { relayed(frames); });
      if (!in) return fail(in.error());
      in_ = *in;
      reactor_.every(options_.broker.heartbeat, [this] { beat(); });
      reactor_.every(std::chrono::milliseconds(50), [this] { expire(); });
      if (!options_.world.adopt.empty()) reactor_.every(kDiscovery, [this] { discover(); });
      return {};
    });
    if (!opened) return opened;
    if (!options_.world.show.empty()) {
      const auto sync = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->show_residents();
      };
      context_.hosting->on_change(this, sync);
      context_.hosting->run_blocking(sync);
    }
    if (!options_.name.empty()) {
      context_.hosting->run_blocking([self = shared_from_this()] {
        if (auto adopted = self->adopt_network(); !adopted)
          self->context_.log->write(Level::kError, "a ROC network that is no Object here",
                                    {{"error", adopted.error().message}});
      });
    }
    return {};
  }

  void close() {
    if (closed_.exchange(true)) return;
    context_.hosting->on_change(this, nullptr);
    std::vector<std::string> adopted{options_.name};
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [service, object] : adopted_) adopted.push_back(object);
    }
    static_cast<void>(on_reactor(reactor_, [this]() -> Status {
      for (const auto& [name, worker] : shown_)
        Reactor::send(*worker->socket, write_mdp({1, Side::kWorker, Command::kDisconnect}, false));
      for (auto& [id, pending] : pending_)
        pending.done(hector::fail(Code::kUnavailable, "the ROC network is closed"));
      pending_.clear();
      return {};
    }));
    statuses_.close({Code::kUnavailable, "the ROC network is closed"});
    logs_.close({Code::kUnavailable, "the ROC network is closed"});
    for (const auto& name : adopted) {
      if (!name.empty()) static_cast<void>(context_.hosting->dismiss(name));
    }
    reactor_.stop();
  }

  [[nodiscard]] Duration time_left(const Call& call) const {
    return call.header.deadline == kNever
               ? kDefaultTimeout
               : std::max<Duration>(call.header.deadline - context_.clock->now(),
                                    std::chrono::milliseconds(1));
  }
  /// Any thread. One answer, or the deadline; never asked twice: a worker may have done it already.
  void request(const std::string& service, const std::string& method, const Arguments& arguments,
               Duration timeout, std::function<void(Result<Value>)> done) {
    const std::uint64_t id = ++last_id_;
    std::string text = write_rpc_request(id, method, arguments);
    reactor_.post([this, id, service, text = std::move(text), timeout,
                   done = std::move(done)]() mutable {
      if (closed_ || pending_.size() >= kPendingMax)
        return done(hector::fail(Code::kResourceExhausted,
                                 fmt::format("{} calls wait for answers, the limit", kPendingMax)));
      pending_[id] = {service, context_.clock->now() + timeout, std::move(done)};
      Reactor::send(*client_,
                    write_mdp({1, Side::kClient, Command::kRequest, service, {}, {text}}, false));
    });
  }

 private:
  struct Pending {
    std::string service;
    TimePoint until;
    std::function<void(Result<Value>)> done;
  };

  // --- on the reactor's thread: calls of others
  // -----------------------------------------------------------------------------------------

  void answered(const Frames& frames) {
    const auto message = read_at_client(frames);
    if (!message || message->body.empty()) return;
    if (message->service == kServicesQuestion) return services_are(*message);
    if (message->service == "mmi.service") return service_is(message->body.front());
    auto answer = read_rpc_answer(message->body.front());
    if (!answer) return;
    const auto found = pending_.find(answer->id);
    if (found == pending_.end() || found->second.service != message->service) return;
    const auto done = std::move(found->second.done);
    pending_.erase(found);
    done(std::move(answer->result));
  }
  void expire() {
    const TimePoint now = context_.clock->now();
    for (auto each = pending_.begin(); each != pending_.end();) {
      if (each->second.until > now) {
        ++each;
        continue;
      }
      const auto done = std::move(each->second.done);
      const std::string service = each->second.service;
      each = pending_.erase(each);
      done(hector::fail(Code::kDeadlineExceeded,
                        fmt::format("the ROC object '{}' did not answer in time", service)));
    }
  }

  // --- on the reactor's thread: Objects as workers
  // -------------------------------------------------------------------------------------

  void show_residents() {
    std::map<std::string, Hosting::Resident> wanted;
    for (auto& each : context_.hosting->residents(this)) {
      if (objects::is_listed(options_.world.show, each.name))
        wanted.emplace(each.name, std::move(each));
    }
    reactor_.post([self = shared_from_this(), wanted = std::move(wanted)]() mutable {
      self->show(std::move(wanted));
    });
  }
  void show(std::map<std::string, Hosting::Resident> wanted) {
    for (auto each = shown_.begin(); each != shown_.end();) {
      const auto found = wanted.find(each->first);
      if (found != wanted.end() && found->second.interface == each->second->object.interface) {
        wanted.erase(found);
        ++each;
        continue;
      }
      Reactor::send(*each->second->socket,
                    write_mdp({1, Side::kWorker, Command::kDisconnect}, false));
      leaving_.push_back(each->second->socket);
      each = shown_.erase(each);
    }
    for (auto& [name, resident] : wanted) {
      if (name.size() > kServiceOctetsMax || name.starts_with("mmi.")) continue;
      auto codec = objects::MessageCodec::of(*resident.interface);
      if (!codec) {
        context_.log->write(Level::kWarning, "not shown as a ROC object",
                            {{"object", name}, {"error", codec.error().message}});
        continue;
      }
      auto worker = std::make_shared<ShownWorker>();
      worker->codec = *codec;
      worker->members = objects::shown_members(*resident.interface);
      worker->object = std::move(resident);
      shown_[name] = worker;
      connect(worker);
    }
  }
  void connect(const std::shared_ptr<ShownWorker>& worker) {
    if (worker->socket != nullptr) reactor_.close(worker->socket);
    auto socket =
        reactor_.open(zmq::socket_type::dealer, Reactor::How::kConnect, options_.at.broker,
                      [this, worker](const Frames& frames) { asked(worker, frames); });
    if (!socket)
      return context_.log->write(
          Level::kError, "a worker without a socket",
          {{"object", worker->object.name}, {"error", socket.error().message}});
    worker->socket = *socket;
    worker->broker_seen = context_.clock->now();
    Reactor::send(
        *worker->socket,
        write_mdp({1, Side::kWorker, Command::kReady, worker->object.name, {}, {}}, false));
  }
  /// A broker that is silent is connected to anew: it may have been started again, and knows
  /// nobody.
  void beat() {
    const TimePoint now = context_.clock->now();
    for (auto* socket : leaving_) reactor_.close(socket);
    leaving_.clear();
    for (const auto& [name, worker] : shown_) {
      if (worker->broker_seen + options_.broker.heartbeat * options_.broker.liveness <= now)
        connect(worker);
      else
        Reactor::send(*worker->socket, write_mdp({1, Side::kWorker, Command::kHeartbeat}, false));
    }
  }
  void asked(const std::shared_ptr<ShownWorker>& worker, const Frames& frames) {
    const auto message = read_at_worker(frames);
    if (!message) return;
    worker->broker_seen = context_.clock->now();
    if (message->command == Command::kDisconnect) return connect(worker);
    if (message->command != Command::kRequest) return;
    answer_rpc(
        message->body.front(),
        [this, worker](const std::string& method, Arguments arguments, RpcDone done) {
          handle(worker, method, std::move(arguments), std::move(done));
        },
        [this, worker, client = message->client, self = shared_from_this()](std::string text) {
          reactor_.post([this, worker, client, text = std::move(text)] {
            if (worker->socket != nullptr)
              Reactor::send(
                  *worker->socket,
                  write_mdp({1, Side::kWorker, Command::kReply, {}, client, {text}}, false));
          });
        });
  }

  void handle(const std::shared_ptr<ShownWorker>& worker, const std::string& method,
              Arguments arguments, RpcDone done) {
    if (method == "rpc.describe") return done(describe(*worker));
    const auto argument = [&](std::size_t at, std::string_view name) -> const Value* {
      return at < arguments.positional.size() ? &arguments.positional[at]
                                              : arguments.keywords.find(name);
    };
    const auto unknown = [&](const std::string& what) {
      done(hector::fail(Error{Code::kUnimplemented,
                              fmt::format("'{}' has no {}", worker->object.name, what),
                              "AttributeError",
                              {},
                              {}}));
    };
    if (method == "rpc.getattr" || method == "rpc.setattr") {
      const Value* const name = argument(0, "name");
      const auto* const member =
          name != nullptr && name->is(Value::Kind::kText) ? worker->find(name->text) : nullptr;
      if (member == nullptr || member->member.kind != Member::Kind::kAttribute)
        return unknown(fmt::format("attribute {}", name == nullptr ? "of no name" : name->print()));
      if (method == "rpc.getattr")
        return call(worker, *member, member->get, worker->codec->request_of(*member->get, {}),
                    std::move(done));
      const Value* const value = argument(1, "value");
      if (member->set == nullptr)
        return done(hector::fail(Error{Code::kPermissionDenied,
                                       fmt::format("'{}' can only be read", member->member.name),
                                       "AttributeError",
                                       {},
                                       {}}));
      if (value == nullptr)
        return done(hector::fail(Error{
            Code::kInvalidArgument, "rpc.setattr takes a name and a value", "TypeError", {}, {}}));
      return call(worker, *member, member->set,
                  worker->codec->request_of_value(*member->set, *value), std::move(done));
    }
    const auto* const member = method.starts_with('_') ? nullptr : worker->find(method);
    if (member == nullptr || member->member.kind != Member::Kind::kMethod)
      return unknown(fmt::format("method '{}'", method));
    call(worker, *member, member->call, worker->codec->request_of(*member->call, arguments),
         std::move(done));
  }
  void call(const std::shared_ptr<ShownWorker>& worker, const objects::ShownMember& member,
            const Operation* operation, Result<Bytes> request, RpcDone done) {
    if (!request) return done(hector::fail(request.error()));
    auto* const made =
        new RpcCall(worker, objects::entity_of("Broker", options_.at.broker), std::move(done));
    made->header.object = worker->object.name;
    made->header.operation = operation->index;
    made->header.deadline = context_.clock->now() + kDefaultTimeout;
    made->request = Payload(std::move(*request));
    made->operation = operation;
    const auto use = operation == member.get   ? Use::kGet
                     : operation == member.set ? Use::kSet
                                               : Use::kCall;
    gate_->ask(use, worker->object.name, member.member.name,
               [self = shared_from_this(), made](Status allowed) {
                 if (!allowed) return made->fail(std::move(allowed.error()));
                 if (auto found = self->context_.inbound->resolve(*made); !found)
                   return made->fail(std::move(found.error()));
                 self->context_.inbound->accept(*made);
               });
  }
  Value describe(const ShownWorker& worker) const {
    Value methods = Value::map(), attributes = Value::map();
    for (const auto& each : worker.members) {
      if (each.member.kind == Member::Kind::kMethod) {
        Value& parameters = methods.put(each.member.name, Value::list());
        for (const auto& parameter : each.member.parameters) {
          Value one = Value::map();
          one.put("name", Value::of(std::string_view(parameter.name)));
          one.put("type", Value::of(std::string_view(parameter.type)));
          if (parameter.fallback) one.put("default", *parameter.fallback);
          parameters.items.push_back(std::move(one));
        }
      } else if (each.member.kind == Member::Kind::kAttribute) {
        attributes.put(each.member.name, Value::of(each.member.is_writable ? "rw" : "r"));
      }
    }
    Value made = Value::map();
    made.put("class", Value::of(std::string_view(worker.object.interface->name())));
    made.put("methods", std::move(methods));
    made.put("attributes", std::move(attributes));
    made.put("hector", Value::of(std::string_view(context_.capsule)));
    if (const auto reference = gate_->reference_of(worker.object.name))
      made.put(kReference, Value::of(std::string_view(reference->text())));
    return made;
  }

  // --- services as Objects
  // --------------------------------------------------------------------------------------------

  /// One question at a time: they would pile up for a broker that is not there.
  void discover() {
    const TimePoint now = context_.clock->now();
    if (now < unanswered_until_) return;
    unanswered_until_ = now + kAskedAgain;
    questions_.clear();
    if (!is_silent_about_services_) {
      Reactor::send(
          *client_,
          write_mdp({1, Side::kClient, Command::kRequest, kServicesQuestion, {}, {""}}, false));
      return;
    }
    // Another broker: named ones are asked for one by one, and answered in order.
    for (const auto& name : options_.world.adopt) {
      if (name.ends_with('*')) continue;
      questions_.push_back(name);
      Reactor::send(
          *client_,
          write_mdp({1, Side::kClient, Command::kRequest, "mmi.service", {}, {name}}, false));
    }
  }
  void services_are(const MdpMessage& message) {
    unanswered_until_ = {};
    if (message.body.front() != "200") {
      is_silent_about_services_ = true;
      return;
    }
    std::set<std::string> there(message.body.begin() + 1, message.body.end());
    for (const auto& name : there) {
      if (objects::is_listed(options_.world.adopt, name)) is_there(name, true);
    }
    std::vector<std::string> gone;
    for (const auto& name : known_) {
      if (!there.contains(name)) gone.push_back(name);
    }
    for (const auto& name : gone) is_there(name, false);
  }
  void service_is(const std::string& code) {
    if (questions_.empty()) return;
    const std::string name = std::move(questions_.front());
    questions_.pop_front();
    if (questions_.empty()) unanswered_until_ = {};
    is_there(name, code == "200");
  }
  void is_there(const std::string& service, bool there) {
    if (shown_.contains(service) || closed_) return;
    if (there ? !known_.insert(service).second : known_.erase(service) == 0) return;
    if (!there) {
      for (auto each = pending_.begin(); each != pending_.end();) {
        if (each->second.service != service) {
          ++each;
          continue;
        }
        const auto done = std::move(each->second.done);
        each = pending_.erase(each);
        done(
            hector::fail(Code::kUnavailable, fmt::format("the ROC object '{}' has left", service)));
      }
      return context_.hosting->run_blocking(
          [self = shared_from_this(), service] { self->dismiss(service); });
    }
    request(service, "rpc.describe", {}, kDescribeTimeout,
            [self = shared_from_this(), service](Result<Value> said) {
              self->context_.hosting->run_blocking([self, service, said = std::move(said)] {
                if (auto adopted = self->adopt(service, said); !adopted) {
                  self->context_.log->write(
                      Level::kWarning, "a ROC object that is no Object here",
                      {{"service", service}, {"error", adopted.error().message}});
                }
              });
            });
  }

  // --- on threads that may block
  // --------------------------------------------------------------------------------------------

  void dismiss(const std::string& service) {
    std::string object;
    {
      const std::lock_guard lock(mutex_);
      const auto found = adopted_.find(service);
      if (found == adopted_.end()) return;
      object = found->second;
      adopted_.erase(found);
    }
    static_cast<void>(context_.hosting->dismiss(object));
  }

  /// A server that does not describe itself has one operation, call(method, params).
  static Description description_of(const Value& said) {
    Description made;
    const auto* const class_name = said.find("class");
    made.class_name =
        class_name != nullptr && class_name->is(Value::Kind::kText) ? class_name->text : "Object";
    const Parameter rest{"arguments", "", ParameterKind::kPositionalRest, {}},
        named{"named", "", ParameterKind::kKeywordRest, {}};
    if (const auto* methods = said.find("methods")) {
      for (const auto& name : methods->elements()) {
        if (name.is(Value::Kind::kText))
          made.members.push_back({Member::Kind::kMethod, name.text, {rest, named}, {}, true, true});
      }
      for (std::size_t i = 0; methods->is(Value::Kind::kMap) && i + 1 < methods->items.size();
           i += 2) {
        Member member{Member::Kind::kMethod, methods->items[i].text, {}, {}, true, true};
        for (const auto& each : methods->items[i + 1].elements()) {
          Parameter parameter;
          parameter.name = each.is(Value::Kind::kText) ? each.text : text_in(each, "name");
          parameter.type = text_in(each, "type");
          if (const auto* fallback = each.find("default")) parameter.fallback = *fallback;
          if (const auto* kind = each.find("kind"); kind != nullptr &&
                                                    kind->is(Value::Kind::kInteger) &&
                                                    kind->integer >= 0 && kind->integer <= 4)
            parameter.kind = static_cast<ParameterKind>(kind->integer);
          member.parameters.push_back(std::move(parameter));
        }
        if (!member.name.starts_with('_')) made.members.push_back(std::move(member));
      }
    }
    if (const auto* attributes = said.find("attributes")) {
      for (const auto& name : attributes->elements()) {
        if (name.is(Value::Kind::kText))
          made.members.push_back({Member::Kind::kAttribute, name.text, {}, {}, true, true});
      }
      for (std::size_t i = 0; attributes->is(Value::Kind::kMap) && i + 1 < attributes->items.size();
           i += 2) {
        const bool is_writable = !attributes->items[i + 1].is(Value::Kind::kText) ||
                                 attributes->items[i + 1].text.find('w') != std::string::npos;
        made.members.push_back(
            {Member::Kind::kAttribute, attributes->items[i].text, {}, {}, true, is_writable});
      }
    }
    if (made.members.empty())
      made.members.push_back({Member::Kind::kMethod,
                              "call",
                              {{"method", "str", ParameterKind::kPositionalOrKeyword, {}},
                               {"params", "", ParameterKind::kPositionalOrKeyword, Value::list()}},
                              {},
                              true,
                              true});
    return made;
  }

  /// Of a service that is an Object of another capsule.
  static Result<Reference> reference_of(const Value& told) {
    const std::string text = text_in(told, kReference);
    if (text.empty()) return fail(Code::kNotFound, "it says no reference");
    return Reference::from_text(text);
  }
  /// As the Object that it is in its own capsule: with its Interface, by the protocol that both
  /// have.
  Status adopt_offer(const std::string& service, const std::string& object, const Value& told) {
    auto reference = HECTOR_TRY(reference_of(told));
    auto done = objects::adopt_offer(*context_.hosting, this,
                                     {object, {}, properties_of(service), "roc object"}, reference,
                                     [weak = weak_from_this(), service]() -> Result<Reference> {
                                       const auto self = weak.lock();
                                       return self ? self->describe(service).and_then(reference_of)
                                                   : fail(Code::kUnavailable, "the node is closed");
                                     });
    if (!done) return done;
    const std::lock_guard lock(mutex_);
    adopted_[service] = object;
    return {};
  }
  Result<Value> describe(const std::string& service) {
    const auto said = std::make_shared<std::promise<Result<Value>>>();
    request(service, "rpc.describe", {}, kDescribeTimeout,
            [said](Result<Value> answer) { said->set_value(std::move(answer)); });
    auto answer = said->get_future();
    if (answer.wait_for(2 * kDescribeTimeout) != std::future_status::ready)
      return fail(Code::kUnavailable, "the node is closed");
    return answer.get();
  }
  static std::map<std::string, std::string> properties_of(const std::string& service) {
    return {{"service", json_of(Value::of(std::string_view(service)))}};
  }

  Status adopt(const std::string& service, const Result<Value>& said) {
    if (!said && said.error().code != Code::kUnimplemented) return fail(said.error());
    const Value told = said ? *said : Value::map();
    if (!options_.world.adopt_capsules && told.find("hector") != nullptr)
      return {};  // another capsule's Object is reached without the broker
    std::string object = service;
    std::replace_if(
        object.begin(), object.end(),
        [](char each) {
          return each == '.' || each == ' ' || each == '/' ||
                 static_cast<unsigned char>(each) < 0x20;
        },
        '-');
    if (adopt_offer(service, object, told)) return {};
    const Description description = description_of(told);
    const std::string interface_name = fmt::format(
        "roc.{}", objects::identifier_of(
                      description.class_name == "Object" ? service : description.class_name)
                      .value_or("Object"));
    auto adopted = HECTOR_TRY(objects::adopt(
        *context_.hosting, this, {object, interface_name, properties_of(service), "roc object"},
        description, [&](const auto& written, auto codec, const InterfacePtr& interface) {
          return std::make_unique<AdoptedService>(shared_from_this(),
                                                  ServiceFacts{service, description, written},
                                                  std::move(codec), *interface);
        }));
    const std::lock_guard lock(mutex_);
    adopted_[service] = object;
    return {};
  }

  // --- status and logs
  // --------------------------------------------------------------------------------------------

  Status adopt_network() {
    auto model =
        objects::read_interface_model(kRocYaml, "roc.hector.yaml", "hector/roc.proto", kRocProto);
    if (!model) return fail(model.error());
    return context_.hosting
        ->adopt(this, {options_.name,
                       *model,
                       [this](const InterfacePtr& interface) -> Result<std::unique_ptr<Servant>> {
                         auto codec = HECTOR_TRY(objects::MessageCodec::of(*interface));
                         codec_ = codec;
                         status_ = interface->find("status");
                         log_ = interface->find("logs");
                         const auto self = shared_from_this();
                         return std::unique_ptr<Servant>(std::make_unique<WorldObject>(
                             codec_, std::map<std::string, WorldObject::Handler>{
                                         {"status",
                                          [self](Call& call, const Value& asked) {
                                            self->statuses_.add(call, asked,
                                                                self->context_.clock->now());
                                          }},
                                         {"logs",
                                          [self](Call& call, const Value& asked) {
                                            self->logs_.add(call, asked,
                                                            self->context_.clock->now());
                                          }},
                                         {"publish_status",
                                          [self](Call& call, const Value& status) {
                                            self->publish(call, "ROCS" + text_in(status, "sensor"),
                                                          status.find("value"));
                                          }},
                                         {"log", [self](Call& call, const Value& record) {
                                            self->publish(
                                                call,
                                                fmt::format("ROCL{}.{}", text_in(record, "node"),
                                                            text_in(record, "level")),
                                                record.find("record"));
                                          }}}));
                       },
                       {},
                       "roc network"});
  }
  void publish(Call& call, std::string topic, const Value* value) {
    if (topic.size() <= 4) return call.fail({Code::kInvalidArgument, "it has no sensor or node"});
    reactor_.post([this, self = shared_from_this(), topic = std::move(topic),
                   text = json_of(value == nullptr ? Value::null() : *value)] {
      Reactor::send(*out_, {topic, text});
    });
    call.complete();
  }
  void relay(const char* prefix, bool there) {
    reactor_.post([this, prefix, there] {
      if (there)
        in_->socket.set(zmq::sockopt::subscribe, prefix);
      else
        in_->socket.set(zmq::sockopt::unsubscribe, prefix);
    });
  }
  void relayed(const Frames& frames) {
    if (frames.size() != 2 || frames[0].size() < 4 || codec_ == nullptr) return;
    auto value = read_json(frames[1]);
    if (!value || !objects::is_utf8(frames[0])) return;
    const std::string name = frames[0].substr(4);
    const TimePoint now = context_.clock->now();
    if (frames[0].starts_with("ROCS")) {
      statuses_.tell(
          [&](const Audience::Listener& listener) -> std::optional<Bytes> {
            auto masks = texts_in(listener.asked, "masks");
            if (masks.empty()) masks.emplace_back();
            for (const auto& mask : masks) {
              auto matching = status_for(name, *value, mask);
              if (!matching) continue;
              Value message = Value::map();
              message.put("sensor", Value::of(std::string_view(matching->first)));
              message.put("value", std::move(matching->second));
              auto octets = codec_->reply_of(*status_, message);
              return octets ? std::optional(*octets) : std::nullopt;
            }
            return std::nullopt;
          },
          now);
    } else if (frames[0].starts_with("ROCL")) {
      const auto dot = name.rfind('.');
      Value message = Value::map();
      message.put("node", Value::of(std::string_view(name).substr(0, dot)));
      message.put("level",
                  Value::of(dot == std::string::npos ? std::string_view()
                                                     : std::string_view(name).substr(dot + 1)));
      message.put("record", std::move(*value));
      auto octets = codec_->reply_of(*log_, message);
      if (!octets) return;
      logs_.tell(
          [&](const Audience::Listener& listener) -> std::optional<Bytes> {
            const auto masks = texts_in(listener.asked, "masks");
            const bool fits =
                masks.empty() || std::any_of(masks.begin(), masks.end(), [&](const auto& mask) {
                  return status_for(name, Value::null(), mask).has_value();
                });
            return fits ? std::optional(*octets) : std::nullopt;
          },
          now);
    }
  }

  const ProtocolContext& context_;
  const RocOptions options_;
  const std::shared_ptr<objects::Gate> gate_;
  std::atomic<bool> closed_{false};
  std::atomic<std::uint64_t> last_id_{0};
  std::shared_ptr<const objects::MessageCodec> codec_;
  const Operation *status_ = nullptr, *log_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, std::string> adopted_;  ///< service to Object
  // The reactor's:
  Reactor::Socket *client_ = nullptr, *out_ = nullptr, *in_ = nullptr;
  std::map<std::string, std::shared_ptr<ShownWorker>> shown_;
  std::vector<Reactor::Socket*> leaving_;  ///< until what was sent has left
  std::unordered_map<std::uint64_t, Pending> pending_;
  std::set<std::string> known_;
  std::deque<std::string> questions_;
  TimePoint unanswered_until_;
  bool is_silent_about_services_ = false;
  Audience statuses_, logs_;
  Reactor reactor_;
};

void AdoptedService::invoke(Call& given) noexcept {
  const auto& route = *routes_.at(given.operation->index);
  const auto& member = facts_.description.members[route.member];
  const Bytes request = given.request.bytes();
  std::string method = member.name;
  Result<Arguments> arguments = Arguments{};
  if (route.use == Use::kCall) {
    arguments = codec_->arguments_of(*given.operation, request, member.parameters);
  } else {
    method = route.use == Use::kGet ? "rpc.getattr" : "rpc.setattr";
    arguments->positional.push_back(Value::of(std::string_view(member.name)));
    if (route.use == Use::kSet) {
      auto value = codec_->value_of_request(*given.operation, request);
      if (!value) return given.fail(std::move(value.error()));
      arguments->positional.push_back(std::move(*value));
    }
  }
  if (!arguments) return given.fail(std::move(arguments.error()));
  if (member.name == "call" && facts_.description.members.size() == 1 && route.use == Use::kCall) {
    const auto* const asked = arguments->keywords.find("method");
    const auto* const params = arguments->keywords.find("params");
    method = asked == nullptr ? "" : asked->text;
    Arguments made;
    if (params != nullptr && params->is(Value::Kind::kMap))
      made.keywords = *params;
    else if (params != nullptr)
      made.positional = params->elements();
    arguments = std::move(made);
  }
  // JSON-RPC has positions or names, not both.
  if (!arguments->positional.empty() && !arguments->keywords.items.empty())
    return given.fail({Code::kInvalidArgument,
                       "JSON-RPC takes arguments by position or by name, not both",
                       "TypeError",
                       {},
                       {}});
  Call& call = given.defer();
  struct Ending {
    std::mutex mutex;
    Call* call;
    Call* take() {
      const std::lock_guard lock(mutex);
      return std::exchange(call, nullptr);
    }
  };
  auto ending = std::make_shared<Ending>();
  ending->call = &call;
  call.on_cancel([ending] {
    if (auto* const mine = ending->take()) mine->fail(mine->why_cancelled());
  });
  const Operation& operation = *call.operation;
  const bool is_set = route.use == Use::kSet;
  roc_->request(
      facts_.service, method, *arguments, roc_->time_left(call),
      [ending, codec = codec_, &operation, is_set](Result<Value> result) {
        auto* const mine = ending->take();
        if (mine == nullptr) return;
        if (!result) return mine->fail(std::move(result.error()));
        auto reply = is_set ? Result<Bytes>(Bytes()) : codec->reply_of(operation, *result);
        if (!reply)
          return mine->fail(
              {Code::kInternal, "what the ROC object answered does not fit its own description: " +
                                    reply.error().message});
        mine->complete(Payload(std::move(*reply)));
      });
}

class RocEndpoint final : public Endpoint {
 public:
  explicit RocEndpoint(std::shared_ptr<Roc> roc) : roc_(std::move(roc)) {}
  ~RocEndpoint() override { roc_->close(); }
  std::string address() const override { return {}; }
  void drain(Duration) noexcept override { roc_->close(); }

 private:
  const std::shared_ptr<Roc> roc_;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> open_broker(const ProtocolContext& context,
                                              const RocOptions& options) {
  auto broker = std::make_unique<BrokerEndpoint>(context, options);
  HECTOR_TRY(broker->open(options));
  return std::unique_ptr<Endpoint>(std::move(broker));
}
Result<std::unique_ptr<Endpoint>> open_roc(const ProtocolContext& context,
                                           const RocOptions& options) {
  auto roc = std::make_shared<Roc>(context, options);
  HECTOR_TRY(roc->open());
  return std::unique_ptr<Endpoint>(std::make_unique<RocEndpoint>(std::move(roc)));
}

}  // namespace hector::zeromq
