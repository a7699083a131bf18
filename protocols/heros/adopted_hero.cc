#include "adopted_hero.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "hector/check.h"
#include "objects/flow_reader.h"

namespace hector::heros {

using objects::FlowReader;
using objects::Use;

namespace {

/// For a call without a deadline; HEROS' own clients wait 10 s.
constexpr Duration kDefaultTimeout = std::chrono::seconds(30);

/// One call in flight: it ends with the answer, or at once when its caller cancels it.
struct Pending {
  std::mutex mutex;
  Call* call = nullptr;  ///< null once it has ended

  Call* take() {
    const std::lock_guard lock(mutex);
    return std::exchange(call, nullptr);
  }
};

std::uint64_t sequence_of(std::string_view attachment) {
  std::uint64_t number = 0;
  if (attachment.size() == 8) {
    for (const char each : attachment) number = (number << 8) | static_cast<unsigned char>(each);
  }
  return number;
}

}  // namespace

/// The readers of one event share one subscription.
class AdoptedHero::Events : public std::enable_shared_from_this<AdoptedHero::Events> {
 public:
  Events(Log& log, std::shared_ptr<const Known> known, const Operation& operation, std::string key)
      : log_(log), known_(std::move(known)), operation_(operation), key_(std::move(key)) {}
  Status open(ZenohLink& link) {
    subscription_ = HECTOR_TRY(link.subscriber(
        key_, [weak = weak_from_this()](bool is_put, std::string_view, std::string_view payload,
                                        std::string_view attachment) {
          if (const auto self = weak.lock(); self && is_put)
            self->tell(payload, sequence_of(attachment));
        }));
    return {};
  }
  void add(const FlowReader& reader) {
    const std::lock_guard lock(mutex_);
    readers_.push_back(reader);
  }
  void end(const FlowReader& reader, std::optional<Error> why) {
    {
      const std::lock_guard lock(mutex_);
      if (std::erase(readers_, reader) == 0) return;
    }
    reader.end(std::move(why));
  }
  void close() {
    std::vector<FlowReader> readers;
    {
      const std::lock_guard lock(mutex_);
      readers.swap(readers_);
    }
    subscription_ = {};
    for (const auto& reader : readers) reader.end(Error::unavailable("the HERO has left"));
  }

 private:
  void tell(std::string_view payload, std::uint64_t sequence) {
    if (sequence != 0) {
      const std::uint64_t last = last_.exchange(sequence);
      if (last != 0 && sequence > last + 1)
        log_.write(Level::kWarning, "HERO's events were lost",
                   {{"event", key_}, {"lost", std::to_string(sequence - last - 1)}});
    }
    auto value = read_cbor(payload);
    auto message =
        value ? known_->codec->reply_of(operation_, *value) : Result<Bytes>(fail(value.error()));
    if (!message)
      return log_.write(Level::kWarning, "HERO's event cannot be read",
                        {{"event", key_}, {"error", message.error().message}});
    std::vector<FlowReader> readers;
    {
      const std::lock_guard lock(mutex_);
      readers = readers_;
    }
    for (const auto& reader : readers) {
      if (!reader.push(*message))
        end(reader, Error::resource_exhausted(
                        fmt::format("{} events wait for you to read them, the limit; watch again",
                                    FlowReader::kWaitingMax)));
    }
  }
  Log& log_;
  const std::shared_ptr<const Known> known_;
  const Operation& operation_;
  const std::string key_;
  std::atomic<std::uint64_t> last_{0};
  std::mutex mutex_;
  std::vector<FlowReader> readers_;
  ZenohLink::Declared subscription_;
};

AdoptedHero::AdoptedHero(const ProtocolContext& context, ZenohLink& link, HeroFacts facts,
                         std::unique_ptr<const objects::MessageCodec> codec,
                         const Interface& interface, std::function<bool()> is_alive)
    : context_(context),
      link_(link),
      known_(std::make_shared<const Known>(
          Known{std::move(facts), std::move(codec), std::move(is_alive)})) {
  for (const auto& operation : interface.operations())
    routes_.push_back(&known_->facts.interface.route_of(operation.name));
}

AdoptedHero::~AdoptedHero() {
  for (auto& [name, events] : events_) events->close();
}

void AdoptedHero::invoke(Call& call) noexcept {
  const std::size_t at = call.operation->index;
  const auto& route = *routes_.at(at);
  const auto& members = known_->facts.description.members;
  HECTOR_CHECK(route.member < members.size(), "an operation is of a member that the HERO has not");
  const auto& member = members[route.member];
  const Bytes request = call.request.bytes();
  if (route.use == Use::kEvent) return watch(call, at);
  if (route.use == Use::kGet) return ask(call, member.name, std::nullopt, route.use);
  if (route.use == Use::kSet) {
    auto value = known_->codec->value_of_request(*call.operation, request);
    if (!value) return call.fail(std::move(value.error()));
    return ask(call, member.name, cbor_of(*value), route.use);
  }
  auto arguments = known_->codec->arguments_of(*call.operation, request, member.parameters);
  if (!arguments) return call.fail(std::move(arguments.error()));
  ask(call, member.name, cbor_of(write_arguments(*arguments, known_->facts.proto_version)),
      route.use);
}

void AdoptedHero::ask(Call& given, const std::string& member, std::optional<std::string> payload,
                      Use use) {
  Call& call = given.defer();
  const TimePoint now = context_.clock->now();
  const Duration left =
      call.header.deadline == kNever
          ? kDefaultTimeout
          : std::max<Duration>(call.header.deadline - now, std::chrono::milliseconds(1));
  auto pending = std::make_shared<Pending>();
  pending->call = &call;
  const Operation& operation = *call.operation;
  call.on_cancel([pending] {
    if (auto* const mine = pending->take()) mine->fail(mine->why_cancelled());
  });
  link_.ask(key_of(known_->facts.realm, known_->facts.name, member) + "/**", payload,
            ZenohLink::Answers::kFirst, left,
            [pending, known = known_, &operation, use](std::vector<Answer> answers) {
              auto* const mine = pending->take();
              if (mine == nullptr) return;
              if (answers.empty()) {
                // Version 0.9.1 does not answer a set that succeeded, and a HERO that died does not
                // answer.
                if (use == Use::kSet && known->is_alive()) return mine->complete(Payload(Bytes()));
                return mine->fail(Error::unavailable(
                    fmt::format("the HERO '{}' of realm '{}' does not answer: it has left",
                                known->facts.name, known->facts.realm)));
              }
              if (!answers[0].ok) return mine->fail(read_error(answers[0].payload));
              if (use == Use::kSet) return mine->complete(Payload(Bytes()));
              auto value = read_cbor(answers[0].payload);
              auto reply = value ? known->codec->reply_of(operation, *value)
                                 : Result<Bytes>(fail(value.error()));
              if (!reply)
                return mine->fail(Error::internal(
                    fmt::format("what the HERO '{}' answered does not fit its own description: {}",
                                known->facts.name, reply.error().message)));
              mine->complete(Payload(std::move(*reply)));
            });
}

void AdoptedHero::watch(Call& given, std::size_t at) {
  HECTOR_CHECK(at < routes_.size(), "a call names an operation that the HERO has not");
  const auto& name = known_->facts.description.members[routes_[at]->member].name;
  std::shared_ptr<Events> events;
  {
    const std::lock_guard lock(mutex_);
    auto& slot = events_[name];
    if (!slot) {
      auto made = std::make_shared<Events>(*context_.log, known_, *given.operation,
                                           key_of(known_->facts.realm, known_->facts.name, name));
      if (auto opened = made->open(link_); !opened) return given.fail(opened.error());
      slot = std::move(made);
    }
    events = slot;
  }
  const FlowReader reader(given);
  events->add(reader);
  reader.on_cancel([events, reader] { events->end(reader, reader.why_cancelled()); });
}

}  // namespace hector::heros
