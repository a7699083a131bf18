#include "shown_heroes.h"

#include "objects/adoption.h"

namespace hector::heros {

void ShownHeroes::follow() {
  const auto look = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  };
  link_->context.hosting->on_change(link_->owner(), look);
  link_->context.hosting->run_blocking(look);
}

bool ShownHeroes::contains(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return heroes_.contains(name);
}

void ShownHeroes::name_is_free(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.contains(name)) return;
  }
  link_->context.hosting->run_blocking([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
}

void ShownHeroes::close() {
  Heroes heroes;
  {
    const std::lock_guard lock(mutex_);
    heroes.swap(heroes_);
  }
  for (const auto& [name, hero] : heroes) hero->stop();
}

void ShownHeroes::look() {
  const std::lock_guard one(looking_);
  if (link_->is_closed) return;
  Residents wanted;
  for (auto& each : link_->context.hosting->residents(link_->owner())) {
    if (objects::is_listed(link_->options.world.show, each.name))
      wanted.emplace(each.name, std::move(each));
  }
  for (const auto& hero : take_gone(wanted)) hero->stop();
  for (auto& [name, resident] : wanted) show(std::move(resident));
}

std::vector<std::shared_ptr<ShownHero>> ShownHeroes::take_gone(Residents& wanted) {
  std::vector<std::shared_ptr<ShownHero>> gone;
  const std::lock_guard lock(mutex_);
  for (auto each = heroes_.begin(); each != heroes_.end();) {
    const auto found = wanted.find(each->first);
    if (found != wanted.end() && found->second.interface == each->second->object().interface) {
      wanted.erase(found);
      ++each;
      continue;
    }
    gone.push_back(std::move(each->second));
    each = heroes_.erase(each);
  }
  return gone;
}

/// HEROS lets two of one name both execute every call: here the second one is refused.
void ShownHeroes::show(Hosting::Resident resident) {
  const std::string name = resident.name;
  auto& log = *link_->context.log;
  if (is_taken_(name)) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.insert(name);
    }
    return log.write(Level::kWarning, "Object cannot be shown as a HERO: the name is taken",
                     {{"realm", link_->options.realm}, {"object", name}});
  }
  auto hero =
      std::make_shared<ShownHero>(link_->context, *link_->zenoh, link_->options.realm,
                                  std::move(resident), link_->options.call_timeout, link_->gate);
  {
    const std::lock_guard lock(mutex_);
    waiting_.erase(name);
    heroes_[name] = hero;
  }
  if (auto started = hero->start(); !started) {
    const std::lock_guard lock(mutex_);
    heroes_.erase(name);
    log.write(Level::kWarning, "Object cannot be shown as a HERO",
              {{"object", name}, {"error", started.error().message}});
  }
}

}  // namespace hector::heros
