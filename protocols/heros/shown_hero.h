// What: ShownHero, one Object of this capsule as a HERO.
// Why: programs of HEROS discover it, read its capabilities, call it, set and read its attributes,
// subscribe to its events and wire them to other HEROs.
// Who: ShownHeroes.
#pragma once

#include <atomic>
#include <map>
#include <mutex>

#include "hector/protocol.h"
#include "objects/gate.h"
#include "zenoh_link.h"

namespace hector::heros {

class EventCall;

/// Any thread.
class ShownHero : public std::enable_shared_from_this<ShownHero> {
 public:
  ShownHero(const ProtocolContext& context, ZenohLink& link, std::string realm,
            Hosting::Resident object, Duration call_timeout, std::shared_ptr<objects::Gate> gate);
  /// Declares it. INVALID_ARGUMENT: an Interface that HEROS cannot have.
  Status start();
  /// It leaves the realm; its events end. Calls in flight still answer.
  void stop();
  [[nodiscard]] const Hosting::Resident& object() const { return object_; }

  // For its calls:
  [[nodiscard]] const objects::MessageCodec& codec() const { return *codec_; }
  void publish(std::size_t event, const Bytes& message);
  /// The Object ended the flow: it is started again after a second.
  void event_ended(std::size_t event, const std::optional<Error>& why);

 private:
  struct Callback {
    std::string realm, hero, method, origin;
    Value reference;
    [[nodiscard]] std::string name() const { return hero + "." + method; }
  };
  struct Event {
    std::string name;
    const Operation* operation = nullptr;
    std::uint64_t sequence = 0;
    EventCall* call = nullptr;
    std::vector<Callback> callbacks;
  };
  void query(Query query, std::string_view key, std::string_view payload);
  void call(Query query, const std::string& key, const objects::ShownMember& member,
            const Operation& operation, Result<Bytes> request);
  void call_method(Query query, const std::string& key, const objects::ShownMember& member,
                   std::string_view payload);
  void use_attribute(Query query, const std::string& key, const objects::ShownMember& member,
                     std::string_view payload);
  void wire_event(Query query, const std::string& member, std::string_view payload);
  Result<Value> wired(const std::string& member, const objects::Arguments& arguments);
  void listen(std::size_t event);

  const ProtocolContext& context_;
  ZenohLink& link_;
  const std::string realm_;
  const Hosting::Resident object_;
  const Duration call_timeout_;
  const std::shared_ptr<objects::Gate> gate_;
  std::unique_ptr<const objects::MessageCodec> codec_;
  std::vector<objects::ShownMember> members_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::mutex mutex_;
  std::vector<Event> events_;
  std::atomic<bool> stopped_{false};
  ZenohLink::Declared queryable_, token_;
};

}  // namespace hector::heros
