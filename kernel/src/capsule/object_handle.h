// What: ObjectHandle, the Capsule handle of one Object: all that it can reach of the kernel.
// Why: an Object says what it wants, and the handle adds who asks.
// Who: KernelImpl makes one for each Object and one for the capsule itself.
#pragma once

#include <functional>
#include <string>

#include "capsule/bindings.h"
#include "capsule/service_providers.h"
#include "hector/capsule.h"
#include "party/core.h"

namespace hector {

/// Any thread.
class ObjectHandle final : public Capsule {
 public:
  /// What all handles of a capsule share; it outlives them.
  struct Reach {
    Core& core;
    const ServiceProviders& providers;
    Bindings& bindings;
    std::function<Status(const std::string& object, const OfferProperties::Map& properties)>
        advertise;
  };
  ObjectHandle(const Reach& reach, std::string object, std::string principal)
      : reach_(reach), object_(std::move(object)), principal_(std::move(principal)) {}
  const std::string& name() const noexcept override { return reach_.core.options.capsule; }
  const std::string& object_name() const noexcept override { return object_; }
  const std::string& principal() const noexcept override { return principal_; }
  const Clock& clock() const noexcept override { return *reach_.core.options.clock; }
  Executor& executor() noexcept override { return *reach_.core.options.executor; }
  Log& log() noexcept override { return *reach_.core.options.log; }
  Result<std::unique_ptr<Target>> resolve(std::string_view who) override;
  Result<NamingService*> naming() override;
  Result<TradingService*> trading() override;
  Result<std::uint64_t> bind(const BindRequest& request) override;
  Status unbind(std::uint64_t binding) override;
  Status advertise(const std::map<std::string, std::string>& properties) override;

 private:
  const Reach& reach_;
  const std::string object_, principal_;
};

}  // namespace hector
