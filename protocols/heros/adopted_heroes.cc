#include "adopted_heroes.h"

#include <fmt/format.h>

#include "adopted_hero.h"
#include "hector/check.h"
#include "hero_names.h"
#include "objects/forwarding.h"
#include "signatures.h"
#include "type_publication.h"

namespace hector::heros {

namespace {

constexpr Duration kDiscoveryTimeout = std::chrono::seconds(2);      // as HEROS' own clients
constexpr Duration kCapabilitiesTimeout = std::chrono::seconds(10);  // as HEROS' own clients
/// Names that are remembered; above it those of HEROs that have left are forgotten.
constexpr std::size_t kNamesMax = 10'000;

Result<Value> ask(ZenohLink& zenoh, const std::string& key, ZenohLink::Answers which,
                  Duration timeout) {
  // zenoh answers within its time-out.
  const auto answers = zenoh.ask_and_wait(key, which, timeout);
  if (answers.empty()) return fail(Error::unavailable(fmt::format("no answer at '{}'", key)));
  const auto& first = answers.front();
  if (!first.ok) return fail(read_error(first.payload));
  return read_cbor(first.payload);
}

std::string kind_of(const Discovered& hero) { return "hero " + hero.class_name; }

}  // namespace

void AdoptedHeroes::note(const std::string& name, bool is_alive) {
  const std::lock_guard lock(mutex_);
  auto& hero = heroes_[name];
  if (is_alive && !hero.is_alive) ++hero.life;
  hero.is_alive = is_alive;
  if (objects::is_listed(link_->options.world.adopt, name) && !hero.is_busy) {
    hero.is_busy = true;
    link_->context.hosting->run_blocking([weak = weak_from_this(), name] {
      if (const auto self = weak.lock()) self->settle(name);
    });
  }
  if (heroes_.size() > kNamesMax)
    std::erase_if(heroes_, [](const auto& each) {
      return !each.second.is_alive && !each.second.is_busy && each.second.object.empty();
    });
}

bool AdoptedHeroes::is_alive(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = heroes_.find(name);
  return found != heroes_.end() && found->second.is_alive;
}

void AdoptedHeroes::close() {
  HECTOR_CHECK(link_->is_closed, "HEROs are dismissed while their realm is open");
  std::vector<std::string> objects;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, hero] : heroes_) {
      if (!hero.object.empty()) objects.push_back(hero.object);
    }
  }
  for (const auto& object : objects) link_->dismiss(object);
}

/// Until what is adopted is what is alive. One thread for each name, as is_busy says.
void AdoptedHeroes::settle(const std::string& name) {
  for (;;) {
    std::string dismissed;
    bool is_to_adopt = false;
    {
      const std::lock_guard lock(mutex_);
      auto& hero = heroes_[name];
      HECTOR_CHECK(hero.is_busy, "two threads adopt one HERO");
      if (link_->is_closed || hero.is_settled()) {
        hero.is_busy = false;
        return;
      }
      dismissed = std::exchange(hero.object, {});
      is_to_adopt = dismissed.empty() && hero.is_alive;
      if (is_to_adopt) hero.adopted_life = hero.life;  // tried once for each life
    }
    if (!dismissed.empty()) link_->dismiss(dismissed);
    if (!is_to_adopt) continue;
    auto adopted = adopt(name);
    if (!adopted) {
      link_->context.log->write(
          Level::kWarning, "HERO cannot be adopted as an Object",
          {{"realm", link_->options.realm}, {"hero", name}, {"error", adopted.error().message}});
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      HECTOR_CHECK(heroes_[name].object.empty(), "a HERO is two Objects");
      heroes_[name].object = *adopted;
      if (!link_->is_closed || adopted->empty()) continue;
    }
    link_->dismiss(*adopted);  // close() did not see it
  }
}

Result<Discovered> AdoptedHeroes::discover(const std::string& name) {
  const auto said =
      HECTOR_TRY(ask(*link_->zenoh, key_of(link_->options.realm, name, "_discover") + "/**",
                     ZenohLink::Answers::kAll, kDiscoveryTimeout));
  return read_discovered(said);
}

Result<std::string> AdoptedHeroes::adopt(const std::string& name) {
  const auto hero = HECTOR_TRY(discover(name));
  if (is_capsules(hero) && !link_->options.world.adopt_capsules)
    return std::string();  // reached without this realm
  const std::string object = object_name_of(hero.name);
  const auto adopted = adopt_capsules_object(hero, object);
  if (adopted) return object;
  if (hero.metadata.contains(objects::kReference))
    link_->context.log->write(Level::kInfo, "HERO of another capsule is called over the realm",
                              {{"hero", name}, {"error", adopted.error().message}});
  const auto capabilities =
      HECTOR_TRY(ask(*link_->zenoh, key_of(link_->options.realm, name, "_capabilities"),
                     ZenohLink::Answers::kFirst, kCapabilitiesTimeout));
  const auto description = HECTOR_TRY(read_capabilities(capabilities, hero.class_name));
  return adopt_description(hero, description);
}

/// As the Object that it is in its own capsule: with its Interface, by the protocol that both have.
Status AdoptedHeroes::adopt_capsules_object(const Discovered& hero, const std::string& object) {
  const auto reference = HECTOR_TRY(reference_of(hero));
  return objects::adopt_offer(
      *link_->context.hosting, link_->owner(),
      {object, {}, properties_of(link_->options.realm, hero), kind_of(hero)}, reference,
      [weak = weak_from_this(), name = hero.name]() -> Result<Reference> {
        const auto self = weak.lock();
        if (!self || self->link_->is_closed) return fail(Error::unavailable("the realm is closed"));
        const auto found = HECTOR_TRY(self->discover(name));
        return reference_of(found);
      });
}

Result<std::string> AdoptedHeroes::adopt_description(const Discovered& hero,
                                                     const objects::Description& description) {
  const auto& realm = link_->options.realm;
  const std::string object = object_name_of(hero.name);
  const auto make = [&](const auto& interface, auto codec, const InterfacePtr& compiled) {
    return std::make_unique<AdoptedHero>(
        link_->context, *link_->zenoh,
        HeroFacts{realm, hero.name, hero.proto_version, description, interface}, std::move(codec),
        *compiled, [weak = weak_from_this(), name = hero.name] {
          const auto self = weak.lock();
          return self && self->is_alive(name);
        });
  };
  Discovered known = hero;
  if (auto signatures = write_signatures(description); !signatures.empty())
    known.metadata.emplace(kSignatures, std::move(signatures));
  std::vector<std::string> left_out;
  const auto written = HECTOR_TRY(objects::adopt(*link_->context.hosting, link_->owner(),
                                                 {object, interface_name_of(realm, hero.class_name),
                                                  properties_of(realm, known), kind_of(hero)},
                                                 description, make, &left_out));
  if (!left_out.empty())
    link_->context.log->write(
        Level::kWarning, "members of a HERO are left out: an Interface cannot have them",
        {{"hero", hero.name}, {"members", fmt::format("{}", fmt::join(left_out, ", "))}});
  publish_interface(link_->context, written);
  return object;
}

}  // namespace hector::heros
