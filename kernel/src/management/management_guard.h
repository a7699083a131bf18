// What: ManagementGuard, who may ask the management Object.
// Why: whoever manages a capsule runs code as its user; a network address is not who that is.
// Who: KernelImpl puts it before the management Object.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hector/clock.h"
#include "hector/kernel.h"
#include "hector/language.h"
#include "hector/log.h"

namespace hector {

/// For people and the audit log: "uid:1000 (user:ann, udp 127.0.0.1:4242)". Null: this process.
std::string who_asks(const Peer* peer);

/// Everything passes from within the process. A peer that has proved who it is may what its role
/// lets it (ManagementRole). Of the others everybody may look, and call this capsule's Objects, as
/// protocols let them do without it; the rest passes from a process on this machine, over loopback
/// or a socket file, of the capsule's own user or of root. Else PERMISSION_DENIED. What is called
/// elsewhere is not looking: it would be called in this capsule's name.
class ManagementGuard final : public Servant {
 public:
  struct Options {
    std::string capsule;
    const Clock& clock;
    Log& log;
    /// Told of refusals, as often as they are logged; must not block. Empty: nothing is recorded.
    std::function<void(AuditEvent)> record;
    /// Whether this is an Object or a service of this capsule, other than management itself.
    std::function<bool(const std::string& target)> is_own;
    std::vector<ManagementRole> roles;
  };
  ManagementGuard(std::unique_ptr<Servant> management, Options options);

  void invoke(Call& call) noexcept override;

 private:
  /// What the caller must be allowed to ask this.
  [[nodiscard]] ManagementRight needed(Call& call) const;
  [[nodiscard]] Status may_ask(const Peer& peer, ManagementRight needed) const;
  [[nodiscard]] Status has_role(const Peer& peer, ManagementRight needed) const;
  [[nodiscard]] Status is_of_this_user(const Peer& peer) const;
  [[nodiscard]] Error refusal(const std::string& why) const;
  void say_refused(const Call& call, const Error& why);

  const std::unique_ptr<Servant> management_;
  const Options on_;
  std::mutex mutex_;
  TimePoint said_{};
  std::size_t not_said_ = 0;
};

}  // namespace hector
