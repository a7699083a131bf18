// What: AdoptedHero, the servant of an Object whose code is a HERO somewhere in the realm.
// Why: whoever calls the Object calls the HERO: its methods, its attributes (get_NAME, set_NAME),
// its events (flows).
// Who: Realm.
#pragma once

#include <atomic>
#include <map>
#include <mutex>

#include "hector/protocol.h"
#include "session.h"

namespace hector::heros {

struct HeroFacts {
  std::string realm, name;
  double proto_version = 1.0;
  objects::Description description;
  objects::WrittenInterface interface;
};

/// Any thread.
class AdoptedHero final : public Servant {
 public:
  /// `is_alive`: whether the HERO's token is there now.
  AdoptedHero(const ProtocolContext& context, Session& session, HeroFacts facts,
              std::shared_ptr<const objects::MessageCodec> codec, const Interface& interface,
              std::function<bool()> is_alive);
  ~AdoptedHero() override;
  void invoke(Call& call) noexcept override;

 private:
  class Events;
  void ask(Call& call, const std::string& member, std::optional<std::string> payload,
           objects::Use use);
  void watch(Call& call, std::size_t route);

  const ProtocolContext& context_;
  Session& session_;
  const std::shared_ptr<const HeroFacts> facts_;
  const std::shared_ptr<const std::function<bool()>> is_alive_;
  const std::shared_ptr<const objects::MessageCodec> codec_;
  std::vector<const objects::Route*> routes_;  ///< by operation
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Events>> events_;
};

}  // namespace hector::heros
