// What: PartRights, the rights of parties here in Bindings that other capsules make.
// Why: whoever makes a Binding may not ask, or may not care; the capsule of each party asks itself,
// before the party takes part and when rights change.
// Who: the coordinator; KernelImpl when rights have changed.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "binding/binding_rights.h"
#include "party/core.h"

namespace hector {

/// Any thread that may block.
class PartRights {
 public:
  explicit PartRights(Core& core) : core_(core) {}
  /// PERMISSION_DENIED with the reasons: the party may not take part, or a partner may not call it.
  Status admit(const kernel::v1::PreparePart& part);
  /// Ends the sessions of parties that have not all they need any more. False: Policy could
  /// not be asked about all of them.
  bool check();

 private:
  struct Kept {
    std::uint64_t binding = 0;
    std::string role;
    std::uint32_t member = 0;
    std::vector<NeededRight> needed;
    TimePoint since{};
    bool was_seen = false;  ///< its session
  };
  [[nodiscard]] Formation formation_of(const kernel::v1::PreparePart& part, const Offer& own) const;
  std::shared_ptr<PartySession> session_of(const Kept& kept) const;
  /// With the lock held: those whose session has ended, or never came.
  void purge();

  Core& core_;
  std::mutex mutex_;
  std::vector<Kept> kept_;
  std::size_t purge_at_ = kPurgeAtLeast;
  static constexpr std::size_t kPurgeAtLeast = 64;
};

}  // namespace hector
