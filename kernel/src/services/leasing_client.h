// What: the lease operations of a service's client.
// Why: Naming and Trading keep leases by the same three operations.
// Who: naming_client.cc, trading_client.cc.
#pragma once

#include <memory>
#include <string>

#include "hector/operation_calls.h"
#include "hector/service/leasing.h"

namespace hector {

/// `Service` derives from LeasingService; `Generated` is the client made from the Interface.
template <class Service, class Generated, class Lease>
class LeasingClient : public Service {
 public:
  LeasingClient(Target& target, const Clock& clock)
      : client_(target, clock, Addressing::kByNumber) {}

  Result<std::uint64_t> open_lease(const std::string& owner, Duration ttl) override {
    Lease request;
    request.set_owner(owner);
    request.set_ttl_ms(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(ttl).count()));
    return client_.open_lease(request).map([](const auto& opened) { return opened.lease(); });
  }
  Status renew_lease(std::uint64_t lease) override {
    return client_.renew_lease(of(lease)).map([](const auto&) {});
  }
  Status close_lease(std::uint64_t lease) override {
    return client_.close_lease(of(lease)).map([](const auto&) {});
  }

 protected:
  Generated client_;

 private:
  static Lease of(std::uint64_t lease) {
    Lease request;
    request.set_lease(lease);
    return request;
  }
};

}  // namespace hector
