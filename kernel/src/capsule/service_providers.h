// What: ServiceProviders, who provides each service here: one embedded in this capsule,
// or one joined in another.
// Why: the rest of the kernel uses services without knowing where they are; providers come, go and
// are found again at one place.
// Who: KernelImpl; Publication and the pipeline use what services() says; management lists them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "capsule/offer_maker.h"
#include "capsule/templates.h"
#include "party/core.h"
#include "party/target.h"
#include "services/service_clients.h"

namespace hector {

/// Any thread. Its mutex is a leaf but for the clients' own; nothing is called under it. Unloading
/// is one at a time, by a mutex that is taken before all others.
class ServiceProviders {
 public:
  using Find = std::function<Result<Reference>()>;
  using Change = std::function<Status()>;

  /// All of it outlives the providers. `exchange` runs a change of providers while no lease is
  /// being opened with either (Publication::change_services).
  ServiceProviders(Core& core, const OfferMaker& maker,
                   std::function<Status(const Change&)> exchange)
      : core_(core), maker_(maker), exchange_(std::move(exchange)) {}

  [[nodiscard]] Services services() const;
  /// An Object of the service's name provides it from now on. ALREADY_EXISTS: the name is taken.
  Status embed(const std::string& name, std::unique_ptr<Service> service);
  /// As Kernel::join_service.
  Status join(const std::string& name, const Reference& reference, Find find);
  /// Each joined one is reached again: a protocol goes. What cannot be reached is logged.
  void join_again();
  /// Null if it is no joined one.
  [[nodiscard]] std::unique_ptr<Target> joined(const std::string& name) const;
  /// NOT_FOUND; FAILED_PRECONDITION with what others would lose.
  Result<Effects> unload(const std::string& name, Unload mode);
  /// Name and provider.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> list() const;
  /// At the end of the capsule.
  void clear();

 private:
  struct Joined {
    Reference reference;
    Find find;
    std::shared_ptr<JoinedService> service;  ///< also the targets' and its calls'
  };
  /// Of a joined service. One that is none of the kernel's own: the capsule that has it is asked.
  Result<types::CompiledPtr> interface_of(const std::string& name, const Reference& reference);
  Status use(const std::string& name, std::unique_ptr<Target> target);
  void drop(const std::string& name);

  Core& core_;
  const OfferMaker& maker_;
  const std::function<Status(const Change&)> exchange_;
  std::mutex unload_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Service>> embedded_;
  /// Ended, but a call was still in them after the grace: their code may run until the capsule
  /// ends.
  std::vector<std::unique_ptr<Service>> kept_;
  std::map<std::string, Joined> joined_;
  ServiceClients clients_;
};

}  // namespace hector
