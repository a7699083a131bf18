// What: RocClient, calls to the services of a broker, and questions to the broker itself.
// Why: one DEALER socket serves all calls; each is answered, expires or fails once.
// Who: Roc; the Objects that stand for services.
#pragma once

#include <atomic>
#include <functional>
#include <unordered_map>

#include "roc_link.h"
#include "rpc.h"

namespace hector::zeromq {

class RocClient {
 public:
  using Done = std::function<void(Result<Value>)>;
  /// What the broker itself answers (8/MMI).
  using OnManagement = std::function<void(const MdpMessage& message)>;
  /// Each keeps its caller's call; what they protect is memory (docs/limits.md).
  static constexpr std::size_t kPendingMax = 100'000;

  explicit RocClient(std::shared_ptr<RocLink> link) : link_(std::move(link)) {}

  /// Any thread. `done` runs once: with the answer, DEADLINE_EXCEEDED after `timeout`,
  /// RESOURCE_EXHAUSTED beyond kPendingMax, UNAVAILABLE when the service leaves or the node is
  /// closed. Never sent twice: the worker may have executed it already.
  void request(const std::string& service, const std::string& method,
               const objects::Arguments& arguments, Duration timeout, Done done);
  /// The service's description. Blocks up to a few seconds; not on the reactor's thread.
  Result<Value> describe(const std::string& service);
  void describe(const std::string& service, Done done);
  /// How long a call may take; a default where it has no deadline.
  [[nodiscard]] Duration time_left(const Call& call) const;

  // On the reactor's thread:
  Status open(OnManagement on_management);
  void ask_broker(const std::string& question, const std::string& argument);
  void fail_service(const std::string& service);
  /// Fails what is pending, and every later request.
  void close();

 private:
  struct Pending {
    std::string service;
    TimePoint until;
    Done done;
  };
  using PendingCalls = std::unordered_map<std::uint64_t, Pending>;
  void send(std::uint64_t id, Pending pending, std::string text);
  void receive(const Frames& frames);
  void expire();
  /// Fails those that `matches` picks, after they are off the table.
  void fail_where(const std::function<bool(const Pending&)>& matches,
                  const std::function<Error(const Pending&)>& why);

  const std::shared_ptr<RocLink> link_;
  std::atomic<std::uint64_t> last_id_{0};
  // The reactor's:
  OnManagement on_management_;
  Reactor::Socket* socket_ = nullptr;
  PendingCalls pending_;
  bool is_closed_ = false;
};

}  // namespace hector::zeromq
