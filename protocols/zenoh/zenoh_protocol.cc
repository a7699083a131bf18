#include "zenoh_protocol.h"

#include "zenoh_client.h"
#include "zenoh_server.h"
#include "zenoh_wire.h"

namespace hector::zenohp {

namespace {

/// Measured on loopback between two processes of one machine (bench).
constexpr int kLatencyUs = 52;
constexpr int kCostUs = 60;

class ZenohProtocol final : public Protocol {
 public:
  explicit ZenohProtocol(ProtocolContext context) : context_(std::move(context)) {
    capabilities_.message_octets_max = kMessageOctetsMax;
    capabilities_.latency_us = kLatencyUs;
    capabilities_.cost_us = kCostUs;
    capabilities_.reach = Reach::kEverywhere;  // through routers
    capabilities_.address_format =
        "to listen: tcp/HOST:PORT or router/tcp/HOST:PORT; to reach: CAPSULE@tcp/HOST:PORT";
  }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override {
    return make_endpoint(context_, address);
  }
  Result<std::unique_ptr<Channel>> connect(const std::string& address) override {
    return make_channel(context_, address);
  }

 private:
  ProtocolContext context_;
  ProtocolCapabilities capabilities_;
};

}  // namespace

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context) {
  return std::make_unique<ZenohProtocol>(context);
}

}  // namespace hector::zenohp
