// What: Rights, whether Policy permits what a principal wants to do.
// Why: one place decides what counts where Policy is not there, does not answer or cannot evaluate:
// it is denied, and the reason says so.
// Who: Bindings, when they are made and while they run; calls that come without one.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "hector/kernel.h"
#include "hector/service/policy.h"

namespace hector {

struct RightsAnswer {
  bool is_allowed = false;
  std::string why;      ///< "permitted by lab[2]", "no policy permits it", "the Policy service …"
  bool is_said = true;  ///< by Policy; else it could not be asked
};

/// Any thread.
class Rights {
 public:
  explicit Rights(RightsMode mode) : mode_(mode) {}
  [[nodiscard]] bool are_asked() const noexcept { return mode_ == RightsMode::kRequired; }
  /// Null: none any more. Outlives it.
  void use(PolicyService* service) noexcept {
    service_.store(service, std::memory_order_release);
    forget();
  }
  [[nodiscard]] PolicyService* service() const noexcept {
    return service_.load(std::memory_order_acquire);
  }
  /// As Policy says now. Blocks.
  [[nodiscard]] RightsAnswer ask(const RightsQuestion& question) const;
  /// What its answer, or its silence, comes to.
  [[nodiscard]] static RightsAnswer answer(const Result<RightsDecision>& decision);
  [[nodiscard]] static RightsAnswer no_service();

  /// Decisions that were made before count no more.
  void forget() noexcept { generation_.fetch_add(1, std::memory_order_acq_rel); }
  /// What is decided from now on counts as long as this stays as it is.
  [[nodiscard]] std::uint64_t generation() const noexcept {
    return generation_.load(std::memory_order_acquire);
  }

 private:
  const RightsMode mode_;
  std::atomic<PolicyService*> service_{nullptr};
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace hector
