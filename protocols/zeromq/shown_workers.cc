#include "shown_workers.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"
#include "objects/forwarding.h"
#include "roc_description.h"

namespace hector::zeromq {

using objects::Arguments;
using objects::Member;
using objects::ShownMember;
using objects::Use;

namespace {

/// ROC's own clients wait this long.
constexpr Duration kDefaultTimeout = std::chrono::seconds(30);

/// A ROC client's call of an Object.
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

const Operation* operation_of(const ShownMember& member, Use use) {
  return use == Use::kGet ? member.get : use == Use::kSet ? member.set : member.call;
}

/// As Python says it.
Error no_attribute(Code code, std::string message) {
  Error made{code, std::move(message)};
  made.type = "AttributeError";
  return made;
}

/// An argument by its position or its name; null if it is not given.
const Value* argument(const Arguments& arguments, std::size_t at, std::string_view name) {
  return at < arguments.positional.size() ? &arguments.positional[at]
                                          : arguments.keywords.find(name);
}

}  // namespace

const ShownMember* ShownWorker::find(const std::string& name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const auto& each) { return each.member.name == name; });
  return found == members.end() ? nullptr : &*found;
}

void ShownWorkers::follow() {
  const auto look = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  };
  link_->context.hosting->on_change(link_->owner(), look);
  link_->context.hosting->run_blocking(look);
}

void ShownWorkers::look() {
  Residents wanted;
  for (auto& each : link_->context.hosting->residents(link_->owner())) {
    if (objects::is_listed(link_->options.world.show, each.name))
      wanted.emplace(each.name, std::move(each));
  }
  link_->reactor.post([self = weak_from_this(), wanted = std::move(wanted)]() mutable {
    if (const auto kept = self.lock()) kept->show(std::move(wanted));
  });
}

void ShownWorkers::show(Residents wanted) {
  for (auto each = workers_.begin(); each != workers_.end();) {
    const auto found = wanted.find(each->first);
    if (found != wanted.end() && found->second.interface == each->second->object.interface) {
      wanted.erase(found);
      ++each;
      continue;
    }
    leave(*each->second);
    if (auto* const socket = std::exchange(each->second->socket, nullptr))
      leaving_.push_back(socket);
    each = workers_.erase(each);
  }
  for (auto& [name, resident] : wanted) {
    if (name.size() > kServiceOctetsMax || name.starts_with("mmi.")) continue;
    auto codec = objects::MessageCodec::of(*resident.interface, objects::BytesText::kBase64);
    if (!codec) {
      link_->context.log->write(Level::kWarning, "Object cannot be shown as a ROC object",
                                {{"object", name}, {"error", codec.error().message}});
      continue;
    }
    auto worker = std::make_shared<ShownWorker>();
    worker->codec = std::move(*codec);
    worker->members = objects::shown_members(*resident.interface);
    worker->object = std::move(resident);
    workers_[name] = worker;
    connect(worker);
  }
}

void ShownWorkers::leave(const ShownWorker& worker) {
  if (worker.socket != nullptr)
    Reactor::send(*worker.socket,
                  write_mdp({1, Side::kWorker, Command::kDisconnect}, Sender::kPeer));
}

void ShownWorkers::connect(const Worker& worker) {
  if (worker->socket != nullptr) link_->reactor.close(std::exchange(worker->socket, nullptr));
  worker->broker_seen = link_->context.clock->now();
  HECTOR_CHECK(worker->socket == nullptr, "a worker has two sockets");
  auto socket = link_->reactor.open(
      zmq::socket_type::dealer, Reactor::How::kConnect, link_->options.at.broker,
      [this, worker](const Frames& frames) { receive(worker, frames); });
  if (!socket)
    return link_->context.log->write(
        Level::kError, "cannot open the worker's socket",
        {{"object", worker->object.name}, {"error", socket.error().message}});
  worker->socket = *socket;
  Reactor::send(
      *worker->socket,
      write_mdp({1, Side::kWorker, Command::kReady, worker->object.name, {}, {}}, Sender::kPeer));
}

void ShownWorkers::beat() {
  const TimePoint now = link_->context.clock->now();
  const auto& broker = link_->options.broker;
  for (auto* socket : leaving_) link_->reactor.close(socket);
  leaving_.clear();
  for (const auto& [name, worker] : workers_) {
    if (worker->broker_seen + broker.heartbeat * broker.liveness <= now)
      connect(worker);
    else if (worker->socket != nullptr)
      Reactor::send(*worker->socket,
                    write_mdp({1, Side::kWorker, Command::kHeartbeat}, Sender::kPeer));
  }
}

void ShownWorkers::close() {
  for (const auto& [name, worker] : workers_) leave(*worker);
}

void ShownWorkers::receive(const Worker& worker, const Frames& frames) {
  const auto known = workers_.find(worker->object.name);
  if (known == workers_.end() || known->second != worker) return;  // it is leaving
  const auto message = read_at_worker(frames);
  if (!message) return;
  worker->broker_seen = link_->context.clock->now();
  if (message->command == Command::kDisconnect) return connect(worker);
  if (message->command != Command::kRequest) return;
  answer_rpc(
      message->body.front(),
      [this, worker](const std::string& method, Arguments arguments, RpcDone done) {
        handle(worker, method, std::move(arguments), std::move(done));
      },
      [link = link_, worker, client = message->client](std::string text) {
        link->reactor.post([worker, client, text = std::move(text)] {
          if (worker->socket != nullptr)
            Reactor::send(
                *worker->socket,
                write_mdp({1, Side::kWorker, Command::kReply, {}, client, {text}}, Sender::kPeer));
        });
      });
}

void ShownWorkers::handle(const Worker& worker, const std::string& method, Arguments arguments,
                          RpcDone done) {
  if (method == "rpc.describe") return done(describe(*worker));
  if (method == "rpc.getattr")
    return access_attribute(worker, Use::kGet, arguments, std::move(done));
  if (method == "rpc.setattr")
    return access_attribute(worker, Use::kSet, arguments, std::move(done));
  const auto* const member = method.starts_with('_') ? nullptr : worker->find(method);
  if (member == nullptr || member->member.kind != Member::Kind::kMethod)
    return done(
        hector::fail(no_attribute(Code::kUnimplemented, fmt::format("'{}' has no method '{}'",
                                                                    worker->object.name, method))));
  call(worker, *member, Use::kCall, worker->codec->request_of(*member->call, arguments),
       std::move(done));
}

void ShownWorkers::access_attribute(const Worker& worker, Use use, const Arguments& arguments,
                                    RpcDone done) {
  const Value* const name = argument(arguments, 0, "name");
  const auto* const member =
      name != nullptr && name->is(Value::Kind::kText) ? worker->find(name->text) : nullptr;
  if (member == nullptr || member->member.kind != Member::Kind::kAttribute)
    return done(hector::fail(no_attribute(
        Code::kUnimplemented, fmt::format("'{}' has no attribute {}", worker->object.name,
                                          name == nullptr ? "of no name" : name->print()))));
  if (use == Use::kGet)
    return call(worker, *member, use, worker->codec->request_of(*member->get, {}), std::move(done));
  if (member->set == nullptr)
    return done(hector::fail(no_attribute(
        Code::kPermissionDenied, fmt::format("'{}' can only be read", member->member.name))));
  const Value* const value = argument(arguments, 1, "value");
  if (value == nullptr)
    return done(hector::fail(
        Error::invalid_argument("rpc.setattr takes a name and a value").with_type("TypeError")));
  call(worker, *member, use, worker->codec->request_of_value(*member->set, *value),
       std::move(done));
}

void ShownWorkers::call(const Worker& worker, const ShownMember& member, Use use,
                        Result<Bytes> request, RpcDone done) {
  if (!request) return done(hector::fail(std::move(request.error())));
  const Operation* const operation = operation_of(member, use);
  HECTOR_CHECK(operation != nullptr, "a member has no operation for this use");
  auto* const made = new RpcCall(worker, link_->principal, std::move(done));
  made->header.object = worker->object.name;
  made->header.operation = operation->index;
  made->header.deadline = link_->context.clock->now() + kDefaultTimeout;
  made->request = Payload(std::move(*request));
  made->operation = operation;
  // The inbound side outlives the plugin's objects.
  link_->gate->ask(use, worker->object.name, member.member.name,
                   [inbound = link_->context.inbound, made](Status allowed) {
                     if (!allowed) return made->fail(std::move(allowed.error()));
                     if (auto found = inbound->resolve(*made); !found)
                       return made->fail(std::move(found.error()));
                     inbound->accept(*made);
                   });
}

Value ShownWorkers::describe(const ShownWorker& worker) const {
  Value made = write_description(worker.object.interface->name(), worker.members);
  made.put("hector", Value::of(std::string_view(link_->context.capsule)));
  if (const auto reference = link_->gate->reference_of(worker.object.name))
    made.put(objects::kReference, Value::of(std::string_view(reference->text())));
  return made;
}

}  // namespace hector::zeromq
