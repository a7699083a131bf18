// What: CliSession, the command line's small kernel: no Objects, one protocol, a target at a
// capsule's management interface.
// Why: `hector` is a client like any other.
// Who: the commands in main.cc.
#pragma once

#include <memory>
#include <string>

#include "hector/message_calls.h"
#include "hector/system.h"
#include "process/capsule_credentials.h"
#include "process/module_loader.h"

namespace hector {

struct CliOptions {
  std::string
      capsule;  ///< a name in the run directory, or a reference; empty: the only one, or "hub"
  std::string protocol;  ///< empty: the lightest that both ends have
  std::uint32_t timeout_ms = 30'000;
  bool verbose = false;
};

class CliSession {
 public:
  explicit CliSession(const CliOptions& options);
  ~CliSession();
  Status connect();
  /// Without a capsule: a kernel of its own that speaks this protocol. NOT_FOUND if there is no
  /// plugin for it.
  Status open(const std::string& protocol);
  /// Without a capsule: a kernel of its own with this service in it, on nothing durable. NOT_FOUND
  /// if there is no plugin for it.
  Status open_service(const std::string& service);
  /// Asks this kernel's own management.
  template <class Out, class In>
  Result<Out> ask_here(const std::string& operation, const In& request) {
    auto here = HECTOR_TRY(kernel_->capsule().resolve("_management"));
    return call_and_wait<Out>(*here, *clock_, kByName, operation, request,
                              clock_->now() + std::chrono::milliseconds(options_.timeout_ms));
  }
  [[nodiscard]] Kernel& kernel() { return *kernel_; }
  template <class Out, class In>
  Result<Out> ask(const std::string& operation, const In& request) {
    for (;;) {
      auto reply =
          call_and_wait<Out>(*target_, *clock_, kByName, operation, request,
                             clock_->now() + std::chrono::milliseconds(options_.timeout_ms));
      if (reply) return reply;
      if (!is_tried_otherwise(reply.error())) return fail(explained(std::move(reply.error())));
    }
  }
  [[nodiscard]] const std::string& capsule() const { return capsule_; }

 private:
  CliOptions options_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<EventLoops> loops_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<CapsuleCredentials> credentials_;  ///< null: it has no identity
  Status make_kernel(const std::vector<PolicyEntry>& policy);
  /// Of HECTOR_REALM and HECTOR_IDENTITY, once.
  Status open_identity();
  /// By the first of the protocols that have not been tried.
  Status connect_by_next();
  /// Nobody was reached at this address, and another one is tried now.
  bool is_tried_otherwise(const Error& error);
  /// Where nobody answers at the capsule's own address, that it may be gone and what is left of it.
  [[nodiscard]] Error explained(Error error) const;
  std::unique_ptr<PluginLoader> loader_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Kernel> kernel_;
  std::unique_ptr<Target> target_;
  Reference reference_;
  std::vector<std::string> untried_;  ///< protocols that both speak
  std::string capsule_;
  std::string named_;    ///< as it was asked for in the run directory; empty: by a reference
  std::string address_;  ///< where it is reached
};

}  // namespace hector
