// What: TargetHandle, a handle on a Target that the test keeps.
// Why: whoever resolves a Target owns it; the test still looks at what was started on it.
// Who: tests of what resolves and calls Targets.
#pragma once

#include "hector/capsule.h"

namespace hector::testing {

class TargetHandle final : public Target {
 public:
  /// `played` outlives the handle.
  explicit TargetHandle(Target& played) : played_(played) {}
  const InterfacePtr& interface() const noexcept override { return played_.interface(); }
  const Reference& reference() const noexcept override { return played_.reference(); }
  void start(Call& call) noexcept override { played_.start(call); }

 private:
  Target& played_;
};

}  // namespace hector::testing
