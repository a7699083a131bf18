// What: CapsuleProcess, a capsule in this process: clock, event loops, network, log, store, kernel
// and modules, by a configuration.
// Why: the composition root; everything is made here and passed down.
// Who: hector-capsule; programs that are a capsule themselves.
#pragma once

#include <memory>

#include "process/configuration.h"
#include "process/module_loader.h"

namespace hector {

/// One thread at a time, but for kernel().
class CapsuleProcess {
 public:
  /// `plugins`: folders with protocols/, services/ and so on.
  CapsuleProcess(Configuration configuration, std::vector<std::string> plugins);
  /// Drains the kernel.
  ~CapsuleProcess();
  /// Loads everything; the capsule is in the run directory then. The error of the first part that
  /// fails.
  Status start();
  /// It leaves the run directory, and ends in order. Idempotent.
  void stop();
  [[nodiscard]] Kernel& kernel() { return *kernel_; }
  [[nodiscard]] Log& log() { return *log_; }
  [[nodiscard]] const Configuration& configuration() const { return configuration_; }

 private:
  Status open_store();
  Status load();
  void make_kernel();
  Status start_service(const ServiceSettings& service);

  Configuration configuration_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<EventLoops> loops_;
  std::unique_ptr<Network> network_;
  PluginLoader loader_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Kernel> kernel_;
  std::string directory_;
};

}  // namespace hector
