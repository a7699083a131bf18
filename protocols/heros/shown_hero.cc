#include "shown_hero.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <mutex>

#include "hector/check.h"
#include "hector/stream.h"
#include "objects/forwarding.h"
#include "signatures.h"

namespace hector::heros {

using objects::Member;

namespace {

/// Of one event: each is a query for each message (docs/limits.md).
constexpr std::size_t kCallbacksMax = 1'000;
/// An Object that ends its event's flow may be restarting.
constexpr Duration kAgainAfter = std::chrono::seconds(1);

/// A query that is a call of the Object.
class QueryCall final : public Call {
 public:
  QueryCall(std::shared_ptr<ShownHero> hero, Query query, std::string key, std::string principal)
      : hero_(std::move(hero)), query_(std::move(query)), key_(std::move(key)) {
    own_peer_ = {std::move(principal), "heros", key_, Security::kNone};
    peer = &own_peer_;
  }

 private:
  void finished() noexcept override {
    if (error) {
      query_.fail(*error);
    } else {
      auto value = operation->kind == Kind::kAnnounce
                       ? Result<Value>(Value::null())
                       : hero_->codec().value_of_reply(*operation, reply.bytes());
      if (value)
        query_.reply(key_, *value);
      else
        query_.fail(value.error());
    }
    delete this;
  }
  std::shared_ptr<ShownHero> hero_;
  Query query_;
  std::string key_;
  Peer own_peer_;
};

/// An Object's flow, published message by message. The window is always open: HEROS' publishers do
/// not wait.
class EventFlow final : public WindowedStream {
 public:
  EventFlow(std::weak_ptr<ShownHero> hero, std::size_t event)
      : WindowedStream(false, true), hero_(std::move(hero)), event_(event) {}

 private:
  void transmit(Payload message) override {
    const Bytes bytes = message.bytes();
    if (const auto hero = hero_.lock()) hero->publish(event_, bytes);
    deliver_credit(static_cast<std::int64_t>(bytes.size()));
  }
  void transmit_credit(std::int64_t) override {}
  void transmit_end() override {}
  std::weak_ptr<ShownHero> hero_;
  std::size_t event_;
};
/// [9000([realm, name]), "member"], as tags 9003 and 9004 have it.
bool read_reference(const Value& value, std::uint64_t tag, std::string& realm, std::string& hero,
                    std::string& member) {
  if (!value.is(Value::Kind::kTagged) || value.tag != tag) return false;
  const auto& pair = value.items[0].elements();
  if (pair.size() != 2) return false;
  const auto& whole = pair[0];
  const auto& name = pair[1];
  if (!whole.is(Value::Kind::kTagged) || whole.tag != kHeroTag ||
      whole.items[0].elements().size() != 2 || !name.is(Value::Kind::kText))
    return false;
  const auto& parts = whole.items[0].elements();
  if (!parts[0].is(Value::Kind::kText) || !parts[1].is(Value::Kind::kText)) return false;
  realm = parts[0].text;
  hero = parts[1].text;
  member = name.text;
  return is_key_chunk(realm) && is_key_chunk(hero) && is_key_chunk(member);
}

/// Of a property's JSON.
std::string text_of(const std::string& text) {
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  return error || !value.is_string() ? text : std::string(value.as_string());
}
std::vector<std::string> texts_of(const std::map<std::string, std::string>& properties,
                                  const char* name) {
  std::vector<std::string> texts;
  const auto found = properties.find(name);
  boost::system::error_code error;
  const auto value =
      found == properties.end() ? boost::json::value() : boost::json::parse(found->second, error);
  if (error || !value.is_array()) return texts;
  for (const auto& each : value.as_array()) {
    if (each.is_string()) texts.emplace_back(each.as_string());
  }
  return texts;
}

}  // namespace

class EventCall final : public Call {
 public:
  EventCall(std::shared_ptr<ShownHero> hero, std::size_t event)
      : hero_(std::move(hero)), event_(event) {
    own_peer_.protocol = "heros";
    peer = &own_peer_;
    flow_end_ = std::make_shared<EventFlow>(hero_, event);
    stream = flow_end_;
  }

  /// Held once until it ends, and once by a thread that cancels it meanwhile.
  void hold() noexcept { holders_.fetch_add(1); }
  void let_go() noexcept {
    const int before = holders_.fetch_sub(1);
    HECTOR_CHECK(before > 0, "a call was let go more often than it was held");
    if (before == 1) delete this;
  }

 private:
  void finished() noexcept override {
    flow_end_->deliver_break(std::nullopt);
    hero_->event_ended(event_, error);
    let_go();
  }
  std::atomic<int> holders_{1};
  std::shared_ptr<ShownHero> hero_;
  std::size_t event_;
  std::shared_ptr<EventFlow> flow_end_;
  Peer own_peer_;
};

ShownHero::ShownHero(const ProtocolContext& context, ZenohLink& link, std::string realm,
                     Hosting::Resident object, Duration call_timeout,
                     std::shared_ptr<objects::Gate> gate)
    : context_(context),
      link_(link),
      realm_(std::move(realm)),
      object_(std::move(object)),
      call_timeout_(call_timeout),
      gate_(std::move(gate)) {}

Status ShownHero::start() {
  if (!is_key_chunk(object_.name))
    return fail(Error::invalid_argument(
        fmt::format("'{}' cannot be a HERO's name: it is one chunk of a zenoh key", object_.name)));
  codec_ = HECTOR_TRY(objects::MessageCodec::of(*object_.interface));
  members_ = objects::shown_members(*object_.interface);
  const auto signatures = object_.properties.find(fmt::format("meta_{}", kSignatures));
  if (signatures != object_.properties.end())
    read_signatures(text_of(signatures->second), members_);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    by_name_[members_[i].member.name] = i;
    if (members_[i].member.kind == Member::Kind::kEvent)
      events_.push_back({members_[i].member.name, members_[i].call, 0, nullptr, {}});
  }
  queryable_ = HECTOR_TRY(link_.queryable(
      key_of(realm_, object_.name, "**"),
      [weak = weak_from_this()](Query query, std::string_view key, std::string_view payload) {
        if (const auto self = weak.lock(); self && !self->stopped_)
          self->query(std::move(query), key, payload);
      }));
  for (std::size_t i = 0; i < events_.size(); ++i) listen(i);
  token_ = HECTOR_TRY(link_.token(key_of(realm_, object_.name, "_health")));
  return {};
}

void ShownHero::stop() {
  if (stopped_.exchange(true)) return;
  // A peer that sees the token go asks whether the HERO still answers: it must not.
  queryable_ = {};
  token_ = {};
  std::vector<EventCall*> calls;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& event : events_) {
      if (event.call == nullptr) continue;
      event.call->hold();
      calls.push_back(event.call);
    }
  }
  for (auto* call : calls) {
    call->cancel(Error::cancelled("the HERO has left"));
    call->let_go();
  }
}

void ShownHero::query(Query query, std::string_view asked, std::string_view payload) {
  std::string name, member;
  if (!read_key(asked, realm_, name, member)) return;
  const std::string key = key_of(realm_, object_.name, member);
  if (member == "_discover") {
    const std::string& type = object_.interface->name();
    const auto& properties = object_.properties;
    Discovered hero{
        1.0,
        object_.name,
        type.substr(type.rfind('.') + 1),
        texts_of(properties, "implements"),
        texts_of(properties, "tags"),
        {{"interface", object_.interface->id()}, {"identity", object_.interface->identity()}}};
    hero.implements.push_back(object_.interface->id());
    for (const std::string& tag :
         {std::string("_proto_version:1.0"), "_zid:" + link_.zid(), "_hector:" + context_.capsule})
      hero.tags.push_back(tag);
    for (const auto& [name_of, value] : properties) {
      if (name_of.starts_with("meta_")) hero.metadata.emplace(name_of.substr(5), text_of(value));
    }
    if (const auto reference = gate_->reference_of(object_.name))
      hero.metadata[objects::kReference] = reference->text();
    return query.reply(key, write_discovered(hero));
  }
  if (member == "_capabilities") return query.reply(key, write_capabilities(members_));
  if (member.ends_with("_local_hero_callback") || member == "_get_local_hero_callbacks")
    return wire_event(std::move(query), member, payload);
  const auto found = by_name_.find(member);
  if (found == by_name_.end()) return;  // no reply: there is no such member
  const auto& shown = members_[found->second];
  if (shown.member.kind == Member::Kind::kMethod)
    return call_method(std::move(query), key, shown, payload);
  if (shown.member.kind == Member::Kind::kAttribute)
    return use_attribute(std::move(query), key, shown, payload);
}

void ShownHero::call_method(Query query, const std::string& key, const objects::ShownMember& member,
                            std::string_view payload) {
  if (!query.has_payload())
    return query.fail(
        Error::invalid_argument(
            fmt::format(
                "'{}' is a method: its arguments are the payload, [[], {{}}] where there are none",
                member.member.name))
            .with_type("TypeError"));
  auto value = read_cbor(payload);
  if (!value) return query.fail(value.error());
  auto arguments = read_arguments(std::move(*value));
  if (!arguments) return query.fail(arguments.error());
  call(std::move(query), key, member, *member.call, codec_->request_of(*member.call, *arguments));
}

void ShownHero::use_attribute(Query query, const std::string& key,
                              const objects::ShownMember& member, std::string_view payload) {
  if (!query.has_payload()) {
    if (member.get == nullptr)
      return query.fail(
          Error::permission_denied(fmt::format("'{}' can only be written", member.member.name)));
    return call(std::move(query), key, member, *member.get, codec_->request_of(*member.get, {}));
  }
  if (member.set == nullptr)
    return query.fail(
        Error::permission_denied(fmt::format("'{}' can only be read", member.member.name)));
  auto value = read_cbor(payload);
  if (!value) return query.fail(value.error());
  call(std::move(query), key, member, *member.set, codec_->request_of_value(*member.set, *value));
}

void ShownHero::call(Query query, const std::string& key, const objects::ShownMember& member,
                     const Operation& operation, Result<Bytes> request) {
  if (!request) return query.fail(request.error());
  auto* const made =
      new QueryCall(shared_from_this(), std::move(query), key, objects::entity_of("Realm", realm_));
  made->header.object = object_.name;
  made->header.operation = operation.index;
  made->header.deadline = context_.clock->now() + call_timeout_;
  made->request = Payload(std::move(*request));
  made->operation = &operation;
  const auto use = &operation == member.get   ? objects::Use::kGet
                   : &operation == member.set ? objects::Use::kSet
                                              : objects::Use::kCall;
  gate_->ask(use, object_.name, member.member.name,
             [self = shared_from_this(), made](Status allowed) {
               if (!allowed) return made->fail(std::move(allowed.error()));
               if (auto found = self->context_.inbound->resolve(*made); !found)
                 return made->fail(std::move(found.error()));
               self->context_.inbound->accept(*made);
             });
}

// --- events ---

void ShownHero::listen(std::size_t event) {
  HECTOR_CHECK(event < events_.size(), "an event is listened to that the Object has not");
  auto* const made = new EventCall(shared_from_this(), event);
  made->header.object = object_.name;
  made->header.operation = events_[event].operation->index;
  made->kind = Kind::kStream;
  made->flow = Flow::kOut;
  {
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(events_[event].call == nullptr, "an event is listened to twice");
    events_[event].call = made;
  }
  made->request = Payload(Bytes());
  if (auto found = context_.inbound->resolve(*made); !found)
    return made->fail(std::move(found.error()));
  context_.inbound->accept(*made);
}

void ShownHero::event_ended(std::size_t event, const std::optional<Error>& why) {
  {
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(event < events_.size(), "an event ends that the Object has not");
    events_[event].call = nullptr;
  }
  if (stopped_) return;
  if (why)
    context_.log->write(
        Level::kWarning, "Object ended an event's flow; it is started again",
        {{"object", object_.name}, {"event", events_[event].name}, {"error", why->message}});
  context_.executor->at(context_.clock->now() + kAgainAfter, [weak = weak_from_this(), event] {
    if (const auto self = weak.lock(); self && !self->stopped_) self->listen(event);
  });
}

void ShownHero::publish(std::size_t at, const Bytes& message) {
  std::vector<Callback> callbacks;
  std::uint64_t sequence = 0;
  HECTOR_CHECK(at < events_.size(), "an event is published that the Object has not");
  auto& event = events_[at];
  {
    const std::lock_guard lock(mutex_);
    sequence = ++event.sequence;
    callbacks = event.callbacks;
  }
  auto value = codec_->value_of_reply(*event.operation, message);
  if (!value)
    return context_.log->write(
        Level::kWarning, "Object's event cannot be published as a value",
        {{"object", object_.name}, {"event", event.name}, {"error", value.error().message}});
  std::string number;
  for (int shift = 56; shift >= 0; shift -= 8)
    number.push_back(static_cast<char>(sequence >> shift));
  if (auto put = link_.put(key_of(realm_, object_.name, event.name), cbor_of(*value), number);
      !put && !stopped_)
    context_.log->write(
        Level::kWarning, "Object's event cannot be published",
        {{"object", object_.name}, {"event", event.name}, {"error", put.error().message}});
  for (const auto& callback : callbacks) {
    const std::string payload = cbor_of(Value::list({Value::list({*value}), Value::map()}));
    link_.ask(key_of(callback.realm, callback.hero, callback.method) + "/**", payload,
              ZenohLink::Answers::kFirst, call_timeout_,
              [this, self = shared_from_this(), callback](const std::vector<Answer>& answers) {
                if (answers.empty() || !answers[0].ok)
                  context_.log->write(
                      Level::kWarning, "connected method did not take an event",
                      {{"method", callback.name()},
                       {"error",
                        answers.empty() ? "no answer" : read_error(answers[0].payload).message}});
              });
  }
}

void ShownHero::wire_event(Query query, const std::string& member, std::string_view payload) {
  const std::string key = key_of(realm_, object_.name, member);
  auto value = read_cbor(payload);
  if (!value) return query.fail(value.error());
  auto arguments = read_arguments(std::move(*value));
  if (!arguments) return query.fail(arguments.error());
  gate_->ask(objects::Use::kCall, object_.name, member,
             [self = shared_from_this(), query = std::move(query), key, member,
              arguments = std::move(*arguments)](Status allowed) {
               auto done = allowed ? self->wired(member, arguments)
                                   : Result<Value>(hector::fail(std::move(allowed.error())));
               if (done)
                 query.reply(key, *done);
               else
                 query.fail(done.error());
             });
}

Result<Value> ShownHero::wired(const std::string& member, const objects::Arguments& arguments) {
  const auto argument = [&](std::size_t at, std::string_view name) -> const Value* {
    return at < arguments.positional.size() ? &arguments.positional[at]
                                            : arguments.keywords.find(name);
  };
  const Value* const event_value = argument(0, "event");
  std::string realm, hero, name;
  if (event_value == nullptr || !read_reference(*event_value, kEventTag, realm, hero, name))
    return hector::fail(Error::invalid_argument("`event` is an event of this HERO (tag 9003)")
                            .with_type("TypeError"));
  const std::lock_guard lock(mutex_);
  const auto event = std::find_if(events_.begin(), events_.end(),
                                  [&](const auto& each) { return each.name == name; });
  if (hero != object_.name || event == events_.end())
    return hector::fail(Error::not_found(fmt::format("'{}' has no event '{}'", object_.name, name))
                            .with_type("AttributeError"));
  if (member == "_get_local_hero_callbacks") {
    Value list = Value::list();
    for (const auto& each : event->callbacks) {
      Value one = Value::map();
      one.put("name", Value::of(std::string_view(each.name())));
      one.put("origin",
              each.origin.empty() ? Value::null() : Value::of(std::string_view(each.origin)));
      one.put("is_remote_hero", Value::of(true));
      one.put("func", each.reference);
      one.put("context", Value::of("LocalHERO"));
      list.items.push_back(std::move(one));
    }
    return list;
  }
  const Value* const method = argument(1, "remote_hero_method");
  Callback callback;
  if (method == nullptr ||
      !read_reference(*method, kMethodTag, callback.realm, callback.hero, callback.method)) {
    return hector::fail(
        Error::invalid_argument("`remote_hero_method` is a method of a HERO (tag 9004)")
            .with_type("TypeError"));
  }
  callback.reference = *method;
  const auto same =
      std::find_if(event->callbacks.begin(), event->callbacks.end(), [&](const auto& each) {
        return each.realm == callback.realm && each.name() == callback.name();
      });
  if (member == "_disconnect_local_hero_callback") {
    const bool is_there = same != event->callbacks.end();
    if (is_there) event->callbacks.erase(same);
    return Value::of(is_there);
  }
  if (const Value* const origin = argument(2, "origin");
      origin != nullptr && origin->is(Value::Kind::kText))
    callback.origin = origin->text;
  const std::string told = callback.name();
  if (same != event->callbacks.end())
    *same = std::move(callback);
  else if (event->callbacks.size() >= kCallbacksMax)
    return hector::fail(Error::resource_exhausted(
        fmt::format("'{}' has {} connected methods, its limit", name, kCallbacksMax)));
  else
    event->callbacks.push_back(std::move(callback));
  return Value::of(std::string_view(told));
}

}  // namespace hector::heros
