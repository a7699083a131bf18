// What: ShownHeroes, this capsule's Objects as HEROs of a realm.
// Why: one place follows the capsule's Objects and knows which names are ours.
// Who: Realm.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "realm_link.h"
#include "shown_hero.h"

namespace hector::heros {

/// Any thread.
class ShownHeroes final : public std::enable_shared_from_this<ShownHeroes> {
 public:
  /// Whether another program's HERO has the name now.
  using IsTaken = std::function<bool(const std::string& name)>;
  ShownHeroes(std::shared_ptr<RealmLink> link, IsTaken is_taken)
      : link_(std::move(link)), is_taken_(std::move(is_taken)) {}
  /// Follows the capsule's Objects from now on.
  void follow();
  [[nodiscard]] bool contains(const std::string& name) const;
  /// Another's HERO of that name has left: an Object that could not be shown is shown now.
  void name_is_free(const std::string& name);
  /// All of them leave the realm.
  void close();

 private:
  using Residents = std::map<std::string, Hosting::Resident>;
  using Heroes = std::map<std::string, std::shared_ptr<ShownHero>>;
  void look();
  /// Takes those off the list that are not wanted as they are, and off `wanted` those that are.
  std::vector<std::shared_ptr<ShownHero>> take_gone(Residents& wanted);
  void show(Hosting::Resident resident);

  const std::shared_ptr<RealmLink> link_;
  const IsTaken is_taken_;
  std::mutex looking_;  ///< one look at a time; before mutex_
  mutable std::mutex mutex_;
  Heroes heroes_;                  ///< under mutex_; shared with their calls
  std::set<std::string> waiting_;  ///< under mutex_: Objects whose names are taken
};

}  // namespace hector::heros
