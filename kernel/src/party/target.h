// What: targets: one Offer, here or in another capsule, called without a Binding type (RM-ODP's
// implicit binding).
// Why: services, management and tools call Objects one by one.
// Who: Capsule::resolve, the pipeline, the service clients.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "hector/capsule.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "party/core.h"

namespace hector {

class LocalTarget final : public Target {
 public:
  /// `principal`: who calls by it; empty: the capsule.
  LocalTarget(Core& core, OfferPtr offer, std::string principal = {});
  /// On behalf of a client of this capsule.
  LocalTarget(Core& core, OfferPtr offer, KeptCaller caller);
  const InterfacePtr& interface() const noexcept override { return interface_; }
  const Reference& reference() const noexcept override { return reference_; }
  void start(Call& call) noexcept override;
  bool help(TimePoint until) noexcept override { return core_.options.executor->help(until); }

 private:
  Core& core_;
  OfferPtr offer_;
  InterfacePtr interface_;
  Reference reference_;
  const KeptCaller caller_;
};

class RemoteTarget final : public Target {
 public:
  /// Chooses the protocol by policy. `interface` may be null: then calls name their operation.
  /// `principal` as LocalTarget's.
  static Result<std::unique_ptr<Target>> make(Core& core, const Reference& reference,
                                              InterfacePtr interface, std::string principal = {});
  RemoteTarget(Core& core, Reference reference, InterfacePtr interface,
               std::shared_ptr<Channel> channel, std::string principal)
      : core_(core),
        reference_(std::move(reference)),
        interface_(std::move(interface)),
        channel_(std::move(channel)),
        principal_(std::move(principal)) {}
  const InterfacePtr& interface() const noexcept override { return interface_; }
  const Reference& reference() const noexcept override { return reference_; }
  void start(Call& call) noexcept override;
  bool help(TimePoint until) noexcept override { return channel_->help(until); }

 private:
  Core& core_;
  Reference reference_;
  InterfacePtr interface_;
  std::shared_ptr<Channel> channel_;  ///< owners: the protocol table, and those who call by it
  const std::string principal_;
};

/// A service of another capsule, found again where it comes back: when it cannot be reached the
/// next look asks `find` where it is now. A call that certainly was not executed is sent once more
/// there; another one fails, and the next goes to the new place. Any thread.
class JoinedService final : public Recovery, public std::enable_shared_from_this<JoinedService> {
 public:
  using Find = std::function<Result<Reference>()>;
  JoinedService(Core& core, std::string name, std::unique_ptr<Target> first, Find find);
  [[nodiscard]] const InterfacePtr& interface() const noexcept { return interface_; }
  /// Where it is now. Valid as long as this.
  [[nodiscard]] Target& current() const;
  void start(Call& call) noexcept;
  bool recover(Call& call) noexcept override;

 private:
  /// True: it is somewhere else now. Blocks.
  bool look_again();

  Core& core_;
  const std::string name_;
  const InterfacePtr interface_;
  const Find find_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Target>>
      places_;  ///< the last is current; earlier ones may be in use
};

class JoinedTarget final : public Target {
 public:
  explicit JoinedTarget(std::shared_ptr<JoinedService> service) : service_(std::move(service)) {}
  const InterfacePtr& interface() const noexcept override { return service_->interface(); }
  const Reference& reference() const noexcept override { return service_->current().reference(); }
  void start(Call& call) noexcept override { service_->start(call); }
  bool help(TimePoint until) noexcept override { return service_->current().help(until); }

 private:
  /// Owners: ServiceProviders, its targets, and the calls that may recover.
  const std::shared_ptr<JoinedService> service_;
};

/// Here or there, by the reference's capsule. Asks the capsule for the Interface if it is not known
/// here; blocks then. `principal` as LocalTarget's.
Result<std::unique_ptr<Target>> make_target(Core& core, const Reference& reference,
                                            std::string principal = {});
/// The Interface of an Offer in another capsule, added to the types known here if no other has its
/// id. Blocks.
Result<types::CompiledPtr> describe_offer(Core& core, const Reference& reference);
/// Without id, for Objects named by capsule and name only: the full reference too.
Result<hector::kernel::v1::OfferDescription> describe_remote(Core& core,
                                                             const Reference& reference);

/// The coordinator of the capsule that a reference leads to.
Result<std::unique_ptr<Target>> coordinator_of(Core& core, const Reference& reference);

}  // namespace hector
