#include "udp_protocol.h"

#include <fmt/format.h>

#include <cstring>
#include <mutex>

#include "conversation.h"
#include "udp_client.h"
#include "udp_server.h"

namespace hector::udp {

namespace {

constexpr std::size_t kMulticastFragment = 1'200;

class UdpProtocol final : public Protocol {
 public:
  explicit UdpProtocol(ProtocolContext context) : context_(std::move(context)) {
    capabilities_.multicast = true;
    capabilities_.ordered = true;
    capabilities_.latency_us = 5;
    capabilities_.cost_us = 5;
    capabilities_.reach = Reach::kSite;  // no way through proxies
    capabilities_.message_octets_max = SessionLimits{}.message_octets_max;
    capabilities_.address_format =
        "IPv4:port or [IPv6]:port; a multicast group to receive multicasts";
  }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override {
    auto parsed = HECTOR_TRY(NetworkAddress::parse(address));
    return make_endpoint(context_, parsed);
  }
  Result<std::shared_ptr<Channel>> connect(const std::string& address) override {
    auto parsed = HECTOR_TRY(NetworkAddress::parse(address));
    return make_channel(context_, parsed);
  }
  Status multicast(const std::string& group, const Header& header, Payload message) override {
    auto parsed = HECTOR_TRY(NetworkAddress::parse(group));
    if (!parsed.is_multicast())
      return fail(
          Code::kInvalidArgument,
          fmt::format("{} is no multicast group (224.0.0.0 to 239.255.255.255, or ff00::/8)",
                      group));
    std::string whole;
    encode_header(header, context_.clock->now(), whole);
    whole.append(message.bytes().view());
    const std::size_t count = (whole.size() + kMulticastFragment - 1) / kMulticastFragment;
    if (count > kMulticastFragmentsMax)
      return fail(Code::kInvalidArgument,
                  fmt::format("a multicast may have {} octets, this one has {}",
                              kMulticastFragment * kMulticastFragmentsMax, whole.size()));
    const std::lock_guard lock(mutex_);
    if (!sender_) {
      NetworkAddress any;
      any.octets[10] = any.octets[11] = 0xff;
      std::memcpy(any.octets + 12, "\x7f\x00\x00\x01", 4);
      auto socket = HECTOR_TRY(context_.network->open({any, std::nullopt, Reading::kMayMove},
                                                      [](const NetworkAddress&, Octets) {}));
      sender_ = std::move(socket);
    }
    const std::uint64_t id = context_.random->next();
    for (std::size_t i = 0; i < count; ++i) {
      std::string packet;
      Writer(packet)
          .octet(static_cast<std::uint8_t>(PacketType::kMulticast))
          .fixed(id)
          .number(i)
          .number(count);
      packet += whole.substr(i * kMulticastFragment, kMulticastFragment);
      const Octets part = octets_of(packet);
      sender_->send(parsed, {&part, 1});
    }
    return {};
  }

 private:
  ProtocolContext context_;
  ProtocolCapabilities capabilities_;
  std::mutex mutex_;
  std::unique_ptr<DatagramSocket> sender_;
};

}  // namespace

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context) {
  return std::make_unique<UdpProtocol>(context);
}

}  // namespace hector::udp
