#include "hermes.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "hector/check.h"
#include "objects/description.h"
#include "objects/world_object.h"
#include "relay.h"
#include "types_text.h"

namespace hector::zeromq {

using objects::Audience;
using objects::text_in;
using objects::texts_in;
using objects::WorldObject;

namespace {

double now_s(const Clock& clock) {
  return std::chrono::duration<double>(clock.wall().time_since_epoch()).count();
}

/// Hermes' receivers index the first item of the data, of whatever type it is.
bool crashes_receivers(const Value& data) {
  const bool fits = (data.is(Value::Kind::kText) && !data.text.empty()) ||
                    (data.is(Value::Kind::kOctets) && !data.text.empty()) ||
                    (data.is(Value::Kind::kList) && !data.items.empty());
  return !fits;
}

}  // namespace

Frames write_envelope(const Envelope& envelope) {
  Value data = envelope.data.is(Value::Kind::kTagged) ? envelope.data.items[0] : envelope.data;
  if (crashes_receivers(data)) data = Value::list({std::move(data)});
  return {json_of(Value::of(std::string_view(envelope.topic))),
          json_of(Value::of(std::string_view(envelope.origin))), json_of(data),
          fmt::format("{:.6f}", envelope.time_s)};
}

Result<Envelope> read_envelope(const Frames& frames) {
  if (frames.size() != 4)
    return fail(
        Error::invalid_argument(fmt::format("an envelope has four frames, not {}", frames.size())));
  Value parts[4];
  for (std::size_t i = 0; i < 4; ++i) {
    auto part = read_json(frames[i]);
    if (!part)
      return fail(
          Error::invalid_argument(fmt::format("frame {}: {}", i + 1, part.error().message)));
    parts[i] = std::move(*part);
  }
  const bool has_time = parts[3].is(Value::Kind::kReal) || parts[3].is(Value::Kind::kInteger);
  if (!parts[0].is(Value::Kind::kText) || !parts[1].is(Value::Kind::kText) || !has_time)
    return fail(Error::invalid_argument("topic and origin are texts, the time is a number"));
  return Envelope{
      std::move(parts[0].text), std::move(parts[1].text), std::move(parts[2]),
      parts[3].is(Value::Kind::kReal) ? parts[3].real : static_cast<double>(parts[3].integer)};
}

namespace {

class PostOffice final : public Endpoint {
 public:
  ~PostOffice() override { reactor_.stop(); }
  Status open(const HermesOptions& options) {
    return on_reactor(reactor_, [this, options] {
      return relay_.open(reactor_, options.proxy_in, options.proxy_out, options.debug);
    });
  }
  std::string address() const override { return {}; }
  void drain(Duration) noexcept override { reactor_.stop(); }

 private:
  Relay relay_;
  Reactor reactor_;
};

/// The network as an Object. Shared by its Endpoint and by its servant, whose calls may outlast it.
class Hermes final : public std::enable_shared_from_this<Hermes> {
 public:
  Hermes(const ProtocolContext& context, HermesOptions options)
      : context_(context),
        options_(std::move(options)),
        audience_([this](const Value& asked, bool is_there) { subscribe(asked, is_there); }) {}

  Status open() {
    return on_reactor(reactor_, [this]() -> Status {
      if (!options_.proxy_in.empty())
        out_ = HECTOR_TRY(
            reactor_.open(zmq::socket_type::pub, Reactor::How::kConnect, options_.proxy_in, {}));
      if (!options_.proxy_out.empty())
        in_ = HECTOR_TRY(reactor_.open(zmq::socket_type::sub, Reactor::How::kConnect,
                                       options_.proxy_out,
                                       [this](const Frames& frames) { receive(frames); }));
      return {};
    });
  }
  Result<std::unique_ptr<Servant>> servant(const Interface& interface) {
    codec_ = HECTOR_TRY(objects::MessageCodec::of(interface, objects::BytesText::kBase64));
    receive_ = interface.find("receive");
    HECTOR_CHECK(receive_ != nullptr, "the model of a Hermes network has no receive");
    return std::unique_ptr<Servant>(std::make_unique<WorldObject>(
        *codec_,
        std::map<std::string, WorldObject::Handler>{
            {"receive",
             [self = shared_from_this()](Call& call, const Value& asked) {
               self->audience_.add(call, asked, self->context_.clock->now());
             }},
            {"publish", [self = shared_from_this()](
                            Call& call, const Value& envelope) { self->publish(call, envelope); }},
            {"counters",
             [self = shared_from_this()](Call& call, const Value&) { self->count(call); }}}));
  }
  void close() {
    reactor_.stop();
    audience_.close(Error::unavailable("the Hermes network is closed"));
  }

 private:
  /// ZeroMQ counts subscriptions; a topic's frame begins with a quote.
  void subscribe(const Value& asked, bool is_there) {
    if (options_.proxy_out.empty()) return;
    auto topics = texts_in(asked, "topics");
    if (topics.empty()) topics.emplace_back();
    for (const auto& topic : topics) {
      std::string prefix = json_of(Value::of(std::string_view(topic)));
      prefix.pop_back();
      reactor_.post([this, prefix, is_there] {
        if (is_there)
          in_->socket.set(zmq::sockopt::subscribe, prefix);
        else
          in_->socket.set(zmq::sockopt::unsubscribe, prefix);
      });
    }
  }

  void publish(Call& call, const Value& asked) {
    Envelope envelope{text_in(asked, "topic"), text_in(asked, "origin"), {}, 0};
    if (options_.proxy_in.empty())
      return call.fail(Error::failed_precondition(
          "this node has no publishers' address; listen at hermes:IN,OUT"));
    if (envelope.topic.empty())
      return call.fail(Error::invalid_argument("an envelope has a topic"));
    if (envelope.origin.empty())
      envelope.origin = call.peer != nullptr && !call.peer->principal.empty() ? call.peer->principal
                                                                              : context_.capsule;
    if (const auto* data = asked.find("data")) envelope.data = *data;
    reactor_.post([this, self = shared_from_this(), envelope = std::move(envelope)]() mutable {
      // The time of sending: receivers take an old envelope for a sender that is too fast for them.
      envelope.time_s = now_s(*context_.clock);
      Reactor::send(*out_, write_envelope(envelope)) ? ++sent_ : ++dropped_;
    });
    call.complete();
  }

  void receive(const Frames& frames) {
    auto envelope = read_envelope(frames);
    if (!envelope) {
      if (++malformed_ == 1)
        context_.log->write(Level::kWarning, "hermes: dropped a malformed envelope",
                            {{"error", envelope.error().message}});
      return;
    }
    ++received_;
    const double age_s = now_s(*context_.clock) - envelope->time_s;
    if (age_s > std::chrono::duration<double>(options_.late_after + options_.skew).count() &&
        !take_late(*envelope, age_s))
      return;
    Value message = Value::map();
    message.put("topic", Value::of(std::string_view(envelope->topic)));
    message.put("origin", Value::of(std::string_view(envelope->origin)));
    message.put("data", std::move(envelope->data));
    message.put("time_s", Value::of(envelope->time_s));
    auto octets = codec_->reply_of(*receive_, message);
    if (!octets) return;
    audience_.tell(
        [&](const Audience::Listener& listener) -> std::optional<Bytes> {
          const auto topics = texts_in(listener.asked, "topics"),
                     origins = texts_in(listener.asked, "exchanges");
          const bool is_topic =
              topics.empty() || std::any_of(topics.begin(), topics.end(), [&](const auto& each) {
                return envelope->topic.starts_with(each);
              });
          const bool is_origin = origins.empty() || std::find(origins.begin(), origins.end(),
                                                              envelope->origin) != origins.end();
          return is_topic && is_origin ? std::optional(*octets) : std::nullopt;
        },
        context_.clock->now());
  }

  /// Whether the envelope is delivered nevertheless.
  bool take_late(const Envelope& envelope, double age_s) {
    const bool is_first = ++late_ == 1;
    if (options_.late == Late::kDeliver) return true;
    if (options_.late == Late::kNotify || is_first)
      context_.log->write(Level::kWarning, "hermes: an envelope came late",
                          {{"topic", envelope.topic},
                           {"origin", envelope.origin},
                           {"age_s", fmt::format("{:.3f}", age_s)}});
    if (options_.late == Late::kNotify) return true;
    if (options_.late == Late::kDisconnect || options_.late == Late::kDie) {
      audience_.close(Error::resource_exhausted(fmt::format(
          "cannot keep up with publisher '{}': an envelope of topic '{}' came {:.3f} s late",
          envelope.origin, envelope.topic, age_s)));
    }
    if (options_.late == Late::kDie) {
      context_.hosting->run_blocking([hosting = context_.hosting, name = options_.name] {
        // NOT_FOUND: another late envelope has dismissed it.
        [[maybe_unused]] const Status gone = hosting->dismiss(name);
      });
    }
    return false;
  }

  void count(Call& call) {
    Value counters = Value::map();
    for (const auto& [name, counter] :
         {std::pair("received", &received_), std::pair("malformed", &malformed_),
          std::pair("late", &late_), std::pair("sent", &sent_), std::pair("dropped", &dropped_)}) {
      counters.put(name, Value::of(counter->load()));
    }
    auto reply = codec_->reply_of(*call.operation, counters);
    if (!reply) return call.fail(std::move(reply.error()));
    call.complete(Payload(std::move(*reply)));
  }

  const ProtocolContext& context_;
  const HermesOptions options_;
  std::unique_ptr<const objects::MessageCodec> codec_;
  const Operation* receive_ = nullptr;
  Reactor::Socket *in_ = nullptr, *out_ = nullptr;
  std::atomic<std::int64_t> received_{0}, malformed_{0}, late_{0}, sent_{0}, dropped_{0};
  Audience audience_;
  Reactor reactor_;
};

class HermesEndpoint final : public Endpoint {
 public:
  HermesEndpoint(const ProtocolContext& context, std::shared_ptr<Hermes> hermes, std::string name)
      : context_(context), hermes_(std::move(hermes)), name_(std::move(name)) {}
  ~HermesEndpoint() override { drain(Duration::zero()); }
  void adopt(const std::string& model) {
    context_.hosting->run_blocking([context = &context_, hermes = hermes_, name = name_, model] {
      auto adopted = context->hosting->adopt(
          hermes.get(),
          {name,
           model,
           [hermes](const InterfacePtr& interface) { return hermes->servant(*interface); },
           {},
           "hermes network"});
      if (!adopted)
        context->log->write(Level::kError, "Hermes network cannot be adopted as an Object",
                            {{"object", name}, {"error", adopted.error().message}});
    });
  }
  std::string address() const override { return {}; }
  void drain(Duration) noexcept override {
    if (std::exchange(drained_, true)) return;
    hermes_->close();
    // NOT_FOUND: it could not be adopted, or was dismissed already.
    [[maybe_unused]] const Status gone = context_.hosting->dismiss(name_);
  }

 private:
  const ProtocolContext& context_;
  const std::shared_ptr<Hermes> hermes_;
  const std::string name_;
  bool drained_ = false;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> open_post_office(const ProtocolContext&,
                                                   const HermesOptions& options) {
  auto office = std::make_unique<PostOffice>();
  HECTOR_TRY(office->open(options));
  return std::unique_ptr<Endpoint>(std::move(office));
}

Result<std::unique_ptr<Endpoint>> open_hermes(const ProtocolContext& context,
                                              const HermesOptions& options) {
  auto model = HECTOR_TRY(objects::read_interface_model(kHermesYaml, "hermes.hector.yaml",
                                                        "hector/hermes.proto", kHermesProto));
  auto hermes = std::make_shared<Hermes>(context, options);
  HECTOR_TRY(hermes->open());
  auto endpoint = std::make_unique<HermesEndpoint>(context, hermes, options.name);
  endpoint->adopt(model);
  return std::unique_ptr<Endpoint>(std::move(endpoint));
}

}  // namespace hector::zeromq
