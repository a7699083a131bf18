// What: AdoptedServices, the services of a broker as Objects of this capsule.
// Why: what ROC's servers offer is found by type, and called over every protocol.
// Who: Roc.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "roc_client.h"

namespace hector::zeromq {

/// On threads that may block. Shared with tasks that run there when the node is closed already.
class AdoptedServices final : public std::enable_shared_from_this<AdoptedServices> {
 public:
  AdoptedServices(std::shared_ptr<RocLink> link, std::shared_ptr<RocClient> client)
      : link_(std::move(link)), client_(std::move(client)) {}
  /// `said`: its description, or why there is none. A service that is an Object of another capsule
  /// becomes that Object, where the settings ask for it.
  Status adopt(const std::string& service, const Result<Value>& said);
  void dismiss(const std::string& service);
  /// Of all; later ones are refused.
  void close();

 private:
  Status adopt_capsules_object(const std::string& service, const std::string& object,
                               const Value& told);
  Status adopt_description(const std::string& service, const std::string& object,
                           const Value& told);
  Status remember(const std::string& service, const std::string& object);
  void dismiss_object(const std::string& object);

  const std::shared_ptr<RocLink> link_;
  const std::shared_ptr<RocClient> client_;
  std::mutex mutex_;
  std::map<std::string, std::string> objects_;  ///< by service; under mutex_
  bool is_closed_ = false;                      ///< under mutex_
};

}  // namespace hector::zeromq
