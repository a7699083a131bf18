// What: targets: one Offer, here or in another capsule, called without a Binding type (RM-ODP's implicit binding).
// Why: services, management and tools call Objects one by one.
// Who: Capsule::resolve, the pipeline, the service clients.
#pragma once

#include "binding/core.h"
#include "hector/capsule.h"

namespace hector {

class LocalTarget final : public Target {
 public:
  LocalTarget(Core& core, OfferPtr offer);
  const InterfacePtr& interface() const noexcept override { return interface_; }
  const Reference& reference() const noexcept override { return reference_; }
  void start(Call& call) noexcept override;
  bool help(TimePoint until) noexcept override { return core_.options.executor->help(until); }

 private:
  Core& core_;
  OfferPtr offer_;
  InterfacePtr interface_;
  Reference reference_;
  Peer peer_;
};

class RemoteTarget final : public Target {
 public:
  /// Chooses the protocol by policy. `interface` may be null: then calls name their operation.
  static Result<std::shared_ptr<Target>> make(Core& core, const Reference& reference, InterfacePtr interface);
  RemoteTarget(Core& core, Reference reference, InterfacePtr interface, std::shared_ptr<Channel> channel)
      : core_(core), reference_(std::move(reference)), interface_(std::move(interface)), channel_(std::move(channel)) {}
  const InterfacePtr& interface() const noexcept override { return interface_; }
  const Reference& reference() const noexcept override { return reference_; }
  void start(Call& call) noexcept override;
  bool help(TimePoint until) noexcept override { return channel_->help(until); }

 private:
  Core& core_;
  Reference reference_;
  InterfacePtr interface_;
  std::shared_ptr<Channel> channel_;
};

/// Here or there, by the reference's capsule. Asks the capsule for the Interface if it is not known here; blocks then.
Result<std::shared_ptr<Target>> make_target(Core& core, const Reference& reference);
/// The coordinator of the capsule that a reference leads to.
Result<std::shared_ptr<Target>> coordinator_of(Core& core, const Reference& reference);

}  // namespace hector
