// What: CapsuleProcess, a capsule in this process: clock, event loops, network, log, store, kernel
// and modules, by a configuration.
// Why: the composition root; everything is made here and passed down.
// Who: hector-capsule; programs that are a capsule themselves.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "hector/audit.h"
#include "process/configuration.h"
#include "process/configuration_change.h"
#include "process/module_loader.h"
#include "process/name_claim.h"

namespace hector {

/// One thread at a time, but for kernel().
class CapsuleProcess {
 public:
  /// `plugins`: folders with protocols/, services/ and so on.
  CapsuleProcess(Configuration configuration, std::vector<std::string> plugins);
  /// Drains the kernel.
  ~CapsuleProcess();
  /// Loads everything; the capsule is in the run directory then. The error of the first part that
  /// fails; ALREADY_EXISTS where a capsule of this name runs.
  Status start();
  /// Loads, changes and unloads what differs. Each thing that cannot be done is logged with its
  /// reason, stays as it was, and is tried again by the next reload.
  void reload(const Configuration& now);
  /// Every few seconds: what could not be written into the run directory is tried again.
  void look();
  /// It leaves the run directory, and ends in order. Idempotent.
  void stop();
  [[nodiscard]] Kernel& kernel() { return *kernel_; }
  [[nodiscard]] Log& log() { return *log_; }
  [[nodiscard]] const Configuration& configuration() const { return configuration_; }

 private:
  /// The configuration's, else the user's.
  [[nodiscard]] std::string run_folder() const;
  Status claim_name();
  Status open_store();
  Status open_audit();
  Status open_identity();
  Status record(const AuditEvent& event);
  Status load();
  void make_kernel();
  /// With the lock held.
  void leave_reference(const Reference& management);
  /// Where it has an identity, or none of its protocols knows peers: one that does, at a socket
  /// file in the run directory. Else nobody could change this capsule without an identity of his
  /// own.
  Status start_way_in();
  Status start_module(ModuleKind kind, const ModuleSettings& module);
  Status start_service(const ServiceSettings& service);
  Status start_template(const std::string& path);
  class Reload;

  Configuration configuration_;
  NameClaim claim_;
  std::map<std::string, std::string> template_names_;  ///< by the paths of the configuration
  std::unique_ptr<SystemLog> log_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<EventLoops> loops_;
  std::unique_ptr<Network> network_;
  std::optional<audit::AuditLog> audit_;
  std::unique_ptr<CapsuleCredentials> credentials_;  ///< null: it has no identity
  PluginLoader loader_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Kernel> kernel_;
  std::string directory_;
  std::mutex reference_mutex_;  ///< one writes the reference at a time
  bool is_reference_old_ = false;
};

}  // namespace hector
