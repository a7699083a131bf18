// What: ObjectHandle, the Capsule handle of one Object: all that it can reach of the kernel.
// Why: an Object says what it wants, and the handle adds who asks.
// Who: KernelImpl makes one for each Object and one for the capsule itself.
#pragma once

#include <string>

#include "hector/capsule.h"

namespace hector {

class KernelImpl;

/// Any thread. The kernel outlives it.
class ObjectHandle final : public Capsule {
 public:
  ObjectHandle(KernelImpl& kernel, std::string object, std::string principal)
      : kernel_(kernel), object_(std::move(object)), principal_(std::move(principal)) {}
  const std::string& name() const noexcept override;
  const std::string& object_name() const noexcept override { return object_; }
  const std::string& principal() const noexcept override { return principal_; }
  const Clock& clock() const noexcept override;
  Executor& executor() noexcept override;
  Log& log() noexcept override;
  Result<std::shared_ptr<Target>> resolve(std::string_view who) override;
  Result<NamingService*> naming() override;
  Result<TradingService*> trading() override;
  Result<std::uint64_t> bind(const BindRequest& request) override;
  Status unbind(std::uint64_t binding) override;
  Status advertise(const std::map<std::string, std::string>& properties) override;

 private:
  KernelImpl& kernel_;
  const std::string object_, principal_;
};

}  // namespace hector
