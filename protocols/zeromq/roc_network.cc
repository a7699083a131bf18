#include "roc_network.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"
#include "objects/world_object.h"
#include "types_text.h"

namespace hector::zeromq {

using objects::text_in;
using objects::texts_in;
using objects::WorldObject;

namespace {

/// What a topic's frame begins with, as ROC has them.
constexpr const char* kStatusPrefix = "ROCS";
constexpr const char* kLogPrefix = "ROCL";
constexpr std::size_t kPrefixOctets = 4;

}  // namespace

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

RocNetwork::RocNetwork(std::shared_ptr<RocLink> link)
    : link_(std::move(link)),
      statuses_([this](const Value&, bool is_there) { subscribe(kStatusPrefix, is_there); }),
      logs_([this](const Value&, bool is_there) { subscribe(kLogPrefix, is_there); }) {}

Status RocNetwork::open() {
  HECTOR_CHECK(in_ == nullptr && out_ == nullptr, "a ROC network is opened twice");
  auto& reactor = link_->reactor;
  const auto& at = link_->options.at;
  out_ =
      HECTOR_TRY(reactor.open(zmq::socket_type::pub, Reactor::How::kConnect, at.general_xsub, {}));
  in_ = HECTOR_TRY(reactor.open(zmq::socket_type::sub, Reactor::How::kConnect, at.general_xpub,
                                [this](const Frames& frames) { receive(frames); }));
  return {};
}

void RocNetwork::close() {
  const Error why = Error::unavailable("the ROC network is closed");
  statuses_.close(why);
  logs_.close(why);
}

Status RocNetwork::adopt() {
  const auto model = HECTOR_TRY(
      objects::read_interface_model(kRocYaml, "roc.hector.yaml", "hector/roc.proto", kRocProto));
  const auto instantiate = [self = shared_from_this()](const InterfacePtr& interface) {
    return self->servant(*interface);
  };
  return link_->context.hosting->adopt(
      link_->owner(), {link_->options.name, model, instantiate, {}, "roc network"});
}

Result<std::unique_ptr<Servant>> RocNetwork::servant(const Interface& interface) {
  codec_ = HECTOR_TRY(objects::MessageCodec::of(interface, objects::BytesText::kBase64));
  status_ = interface.find("status");
  log_ = interface.find("logs");
  HECTOR_CHECK(status_ != nullptr && log_ != nullptr, "the model of a ROC network has no streams");
  const auto self = shared_from_this();
  std::map<std::string, WorldObject::Handler> handlers;
  handlers["status"] = [self](Call& call, const Value& asked) {
    self->statuses_.add(call, asked, self->link_->context.clock->now());
  };
  handlers["logs"] = [self](Call& call, const Value& asked) {
    self->logs_.add(call, asked, self->link_->context.clock->now());
  };
  handlers["publish_status"] = [self](Call& call, const Value& status) {
    self->publish(call, kStatusPrefix + text_in(status, "sensor"), status.find("value"));
  };
  handlers["log"] = [self](Call& call, const Value& record) {
    self->publish(
        call, fmt::format("{}{}.{}", kLogPrefix, text_in(record, "node"), text_in(record, "level")),
        record.find("record"));
  };
  return std::unique_ptr<Servant>(std::make_unique<WorldObject>(*codec_, std::move(handlers)));
}

void RocNetwork::publish(Call& call, const std::string& topic, const Value* value) {
  if (topic.size() <= kPrefixOctets)
    return call.fail(Error::invalid_argument("a status has a sensor, a log record has a node"));
  const std::string text = json_of(value == nullptr ? Value::null() : *value);
  const bool is_posted = link_->reactor.post([this, topic, text] {
    Reactor::send(*out_, {topic, text});
  });
  if (!is_posted) return call.fail(Error::unavailable("the ROC network is closed"));
  call.complete();
}

/// ZeroMQ counts subscriptions.
void RocNetwork::subscribe(const char* prefix, bool is_wanted) {
  link_->reactor.post([this, prefix, is_wanted] {
    if (is_wanted)
      in_->socket.set(zmq::sockopt::subscribe, prefix);
    else
      in_->socket.set(zmq::sockopt::unsubscribe, prefix);
  });
}

void RocNetwork::receive(const Frames& frames) {
  if (frames.size() != 2 || frames[0].size() < kPrefixOctets || codec_ == nullptr) return;
  auto value = read_json(frames[1]);
  if (!value || !objects::is_utf8(frames[0])) return;
  const std::string name = frames[0].substr(kPrefixOctets);
  if (frames[0].starts_with(kStatusPrefix)) tell_status(name, *value);
  if (frames[0].starts_with(kLogPrefix)) tell_log(name, std::move(*value));
}

void RocNetwork::tell_status(const std::string& sensor, const Value& value) {
  statuses_.tell(
      [&](const Audience::Listener& listener) -> std::optional<Bytes> {
        auto masks = texts_in(listener.asked, "masks");
        if (masks.empty()) masks.emplace_back();
        for (const auto& mask : masks) {
          auto matching = status_for(sensor, value, mask);
          if (!matching) continue;
          Value message = Value::map();
          message.put("sensor", Value::of(std::string_view(matching->first)));
          message.put("value", std::move(matching->second));
          auto octets = codec_->reply_of(*status_, message);
          return octets ? std::optional(*octets) : std::nullopt;
        }
        return std::nullopt;
      },
      link_->context.clock->now());
}

/// `name`: "NODE.LEVEL".
void RocNetwork::tell_log(const std::string& name, Value record) {
  const auto dot = name.rfind('.');
  Value message = Value::map();
  message.put("node", Value::of(std::string_view(name).substr(0, dot)));
  message.put("level",
              Value::of(dot == std::string::npos ? std::string_view()
                                                 : std::string_view(name).substr(dot + 1)));
  message.put("record", std::move(record));
  const auto octets = codec_->reply_of(*log_, message);
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
      link_->context.clock->now());
}

}  // namespace hector::zeromq
