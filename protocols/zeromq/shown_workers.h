// What: ShownWorkers, this capsule's Objects as workers of a broker.
// Why: ROC's clients call them like any of their own servers.
// Who: Roc.
#pragma once

#include <map>
#include <memory>

#include "objects/messages.h"
#include "roc_link.h"
#include "rpc.h"

namespace hector::zeromq {

/// One Object as a worker. Shared with the calls that came through it, which may outlast it; then
/// `socket` is null and their answers are dropped.
struct ShownWorker {
  Hosting::Resident object;
  std::unique_ptr<const objects::MessageCodec> codec;
  std::vector<objects::ShownMember> members;
  Reactor::Socket* socket = nullptr;  ///< the reactor's
  TimePoint broker_seen;              ///< the reactor's
  /// Null if there is no such member.
  [[nodiscard]] const objects::ShownMember* find(const std::string& name) const;
};

class ShownWorkers final : public std::enable_shared_from_this<ShownWorkers> {
 public:
  explicit ShownWorkers(std::shared_ptr<RocLink> link) : link_(std::move(link)) {}
  /// Any thread: follows the capsule's Objects from now on.
  void follow();

  // On the reactor's thread:
  /// Heartbeats. A broker that is silent is connected to again: it may have been restarted, and
  /// then knows no worker.
  void beat();
  [[nodiscard]] bool contains(const std::string& service) const {
    return workers_.contains(service);
  }
  /// Tells the broker that all of them leave.
  void close();

 private:
  using Worker = std::shared_ptr<ShownWorker>;
  using Residents = std::map<std::string, Hosting::Resident>;
  void look();
  void show(Residents wanted);
  void leave(const ShownWorker& worker);
  void connect(const Worker& worker);
  void receive(const Worker& worker, const Frames& frames);
  void handle(const Worker& worker, const std::string& method, objects::Arguments arguments,
              RpcDone done);
  void access_attribute(const Worker& worker, objects::Use use, const objects::Arguments& arguments,
                        RpcDone done);
  void call(const Worker& worker, const objects::ShownMember& member, objects::Use use,
            Result<Bytes> request, RpcDone done);
  [[nodiscard]] Value describe(const ShownWorker& worker) const;

  const std::shared_ptr<RocLink> link_;
  // The reactor's:
  std::map<std::string, Worker> workers_;
  std::vector<Reactor::Socket*> leaving_;  ///< closed at the next beat, when DISCONNECT has left
};

}  // namespace hector::zeromq
