// What: AdoptedHeroes, the HEROs of other programs as Objects of this capsule.
// Why: each name comes and leaves again; what is adopted follows what is alive.
// Who: Realm.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "objects/description.h"
#include "realm_link.h"

namespace hector::heros {

/// Any thread.
class AdoptedHeroes final : public std::enable_shared_from_this<AdoptedHeroes> {
 public:
  explicit AdoptedHeroes(std::shared_ptr<RealmLink> link) : link_(std::move(link)) {}
  /// A HERO's token has come or gone. Does not block.
  void note(const std::string& name, bool is_alive);
  [[nodiscard]] bool is_alive(const std::string& name) const;
  /// Dismisses all. After RealmLink::is_closed.
  void close();

 private:
  struct Hero {
    bool is_alive = false;
    bool is_busy = false;  ///< a thread adopts or dismisses it now
    std::string object;    ///< as it was adopted; empty: it is not
    /// Counts its comings; the one it was adopted in, or in vain.
    std::uint64_t life = 0, adopted_life = 0;
    [[nodiscard]] bool is_settled() const {
      return is_alive ? adopted_life == life : object.empty();
    }
  };
  void settle(const std::string& name);
  /// The Object's name; empty for a HERO that is reached without this realm. Blocks.
  Result<std::string> adopt(const std::string& name);
  Status adopt_capsules_object(const Discovered& hero, const std::string& object);
  Result<std::string> adopt_description(const Discovered& hero,
                                        const objects::Description& description);
  Result<Discovered> discover(const std::string& name);

  const std::shared_ptr<RealmLink> link_;
  mutable std::mutex mutex_;
  std::map<std::string, Hero> heroes_;  ///< under mutex_
};

}  // namespace hector::heros
