// What: Interceptor, a link of a channel between its binder and its protocol object (RM-ODP,
// ISO/IEC 10746-3, 8.1.11).
// Why: metrics, traces, rights and charges are added to a channel by policy, and no Object is
// changed for them.
// Who: implemented by the kernel's own and by programs (Kernel::add_interceptor); put on channels
// by policy's resource `interceptors`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hector/call.h"

namespace hector {

/// Which channel a message is on, as seen from one of its ends. Valid during the call it is given
/// to.
struct Hop {
  const std::string& binding_type;
  const std::string& role;     ///< this end's
  const std::string& partner;  ///< the role at the other end
  const std::string& interaction;
};

/// Its functions run for each message of the channels that it was put on, at this end of them, on
/// any thread and on many at once. An implementer must not block and must not end the call.
class Interceptor {
 public:
  virtual ~Interceptor() = default;
  /// This end starts the interaction. An error ends the call with it; nothing was sent then.
  virtual Status sending(Call& call, const Hop& hop) noexcept {
    static_cast<void>(call), static_cast<void>(hop);
    return {};
  }
  /// The message has arrived, in order; its Object has not seen it. An error ends the call.
  virtual Status arriving(Call& call, const Hop& hop) noexcept {
    static_cast<void>(call), static_cast<void>(hop);
    return {};
  }
  /// The call has ended, and every interceptor of this end had let it pass. `took`: the time since
  /// then. `call.error` says how it ended.
  virtual void ended(const Call& call, const Hop& hop, Duration took) noexcept {
    static_cast<void>(call), static_cast<void>(hop), static_cast<void>(took);
  }
};

/// One for each channel, which owns it; `argument` is what stands behind the name in the policy
/// ("allow:capsule:hub*").
using InterceptorFactory =
    std::function<Result<std::unique_ptr<Interceptor>>(const std::string& argument)>;

}  // namespace hector
