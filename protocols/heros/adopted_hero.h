// What: AdoptedHero, the servant of an Object whose code is a HERO somewhere in the realm.
// Why: a call of the Object is a call of the HERO: its methods, its attributes (get_NAME,
// set_NAME), its events (flows).
// Who: AdoptedHeroes.
#pragma once

#include <atomic>
#include <map>
#include <mutex>

#include "hector/protocol.h"
#include "zenoh_link.h"

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
  /// `is_alive`: whether the HERO's token exists now.
  AdoptedHero(const ProtocolContext& context, ZenohLink& link, HeroFacts facts,
              std::unique_ptr<const objects::MessageCodec> codec, const Interface& interface,
              std::function<bool()> is_alive);
  ~AdoptedHero() override;
  void invoke(Call& call) noexcept override;

 private:
  class Events;
  struct Known {
    HeroFacts facts;
    std::unique_ptr<const objects::MessageCodec> codec;
    std::function<bool()> is_alive;
  };
  void ask(Call& call, const std::string& member, std::optional<std::string> payload,
           objects::Use use);
  void watch(Call& call, std::size_t route);

  const ProtocolContext& context_;
  ZenohLink& link_;
  /// Owners: this, and the answers and events in flight, which may outlast the Object.
  const std::shared_ptr<const Known> known_;
  std::vector<const objects::Route*> routes_;  ///< by operation
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Events>> events_;
};

}  // namespace hector::heros
