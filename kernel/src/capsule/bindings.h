// What: Bindings, the Bindings that this capsule made, each with its controller and its control
// Object.
// Why: a Binding is made, found by its id and ended at one place.
// Who: KernelImpl, for Objects' handles, management, Health and the end of the capsule.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "binding/controller.h"
#include "capsule/offer_maker.h"

namespace hector {

/// Any thread that may block. Its mutex is a leaf: controllers are called outside of it.
class Bindings {
 public:
  using Controller = std::shared_ptr<BindingController>;  ///< also its control Object's

  /// All of it outlives the Bindings. `services`: as they are now.
  Bindings(Core& core, Health& health, const OfferMaker& maker, std::function<Services()> services)
      : core_(core), health_(health), maker_(maker), services_(std::move(services)) {}

  /// As the pipeline's instantiate().
  Result<Controller> bind(const BindRequest& request);
  /// What bind() would do. Nothing is reserved.
  Result<management::v1::BindReply> explain(const BindRequest& request);
  /// Ends it in every capsule. NOT_FOUND: this capsule made no such Binding.
  Status unbind(std::uint64_t binding);
  /// Null if this capsule made no such Binding.
  [[nodiscard]] Controller find(std::uint64_t binding) const;
  [[nodiscard]] std::vector<Controller> all() const;
  /// Rights have changed: what has not all it needs any more loses a party, or ends. False: Policy
  /// could not be asked about all of them.
  bool check_rights();

 private:
  Result<Controller> bind_now(const BindRequest& request);
  void offer_control(std::uint64_t binding, const Controller& controller);
  void withdraw_control(std::uint64_t binding);

  Core& core_;
  Health& health_;
  const OfferMaker& maker_;
  const std::function<Services()> services_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Controller> controllers_;
  std::vector<OfferPtr> kept_;  ///< control Objects whose calls did not end in time
};

}  // namespace hector
