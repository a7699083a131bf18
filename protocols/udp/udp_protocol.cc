#include "udp_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "conversation.h"
#include "dtls_wire.h"
#include "udp_client.h"
#include "udp_server.h"

namespace hector::udp {

namespace {

/// Passes every IPv6 link (MTU 1,280) with its headers.
constexpr std::size_t kMulticastFragment = 1'200;
/// Multicasts that this capsule says it sent: members ask within a round trip.
constexpr std::size_t kSentMulticastsMax = 1'024;
/// Measured on loopback between two processes of one machine, rounded (bench/README.md).
constexpr int kLatencyUs = 5;
constexpr int kCostUs = 5;

class UdpProtocol final : public Protocol {
 public:
  explicit UdpProtocol(ProtocolContext context) : context_(std::move(context)) {
    if (context_.credentials != nullptr)
      tls_ = std::make_unique<tls::Tls>(
          *context_.credentials,
          tls::Tls::Options{
              .transport = tls::Transport::kDatagram, .alpn = {}, .prepare = DtlsWire::prepare});
    // What one sends to many at once cannot be encrypted for each of them.
    capabilities_.multicast = tls_ == nullptr;
    capabilities_.security = tls_ ? Security::kPrivacy : Security::kNone;
    capabilities_.ordered = true;
    capabilities_.latency_us = kLatencyUs;
    capabilities_.cost_us = kCostUs;
    capabilities_.reach = Reach::kSite;  // no proxy passes it
    capabilities_.message_octets_max = ConnectionLimits{}.message_octets_max;
    capabilities_.address_format =
        tls_ ? "IPv4:port or [IPv6]:port, with /PRINCIPAL of who must answer"
             : "IPv4:port or [IPv6]:port; a multicast group to receive multicasts";
  }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override {
    auto parsed = HECTOR_TRY(NetworkAddress::parse(address));
    if (tls_ && parsed.is_multicast()) return fail(no_multicast());
    return make_endpoint(context_, parsed, tls_.get());
  }
  Result<std::unique_ptr<Channel>> connect(const std::string& address) override {
    const auto peer = tls::PeerAddress::parse(address);
    auto parsed = HECTOR_TRY(NetworkAddress::parse(peer.place));
    if (!peer.principal.empty() && !tls_)
      return fail(Error::failed_precondition(fmt::format(
          "'{}': '{}' is reached with an identity only, and there is none here; give this side one "
          "(`identity:` in a capsule's configuration, HECTOR_REALM for the command line)",
          address, peer.principal)));
    if (parsed.port == 0)
      return fail(
          Error::invalid_argument(fmt::format("'{}': nothing can be reached at port 0", address)));
    return make_channel(context_, {parsed, peer.principal}, tls_.get());
  }
  Status multicast(const std::string& group, const Header& header, Payload message) override {
    if (tls_) return fail(no_multicast());
    auto parsed = HECTOR_TRY(NetworkAddress::parse(group));
    if (!parsed.is_multicast())
      return fail(Error::invalid_argument(fmt::format(
          "{} is no multicast group (224.0.0.0 to 239.255.255.255, or ff00::/8)", group)));
    std::string whole;
    encode_header(header, context_.clock->now(), whole);
    whole.append(message.bytes().view());
    const std::size_t count = (whole.size() + kMulticastFragment - 1) / kMulticastFragment;
    if (count > kMulticastFragmentsMax)
      return fail(Code::kInvalidArgument,
                  fmt::format("a multicast may have {} octets, this one has {}",
                              kMulticastFragment * kMulticastFragmentsMax, whole.size()));
    const std::lock_guard lock(mutex_);
    HECTOR_TRY(open_sender());
    const std::uint64_t id = context_.random->next();
    remember(id, digest_of(whole));
    for (std::size_t i = 0; i < count; ++i) {
      std::string packet;
      Writer(packet).type(PacketType::kMulticast).fixed(id).number(i).number(count);
      packet += whole.substr(i * kMulticastFragment, kMulticastFragment);
      send_packet(*sender_, parsed, packet);
    }
    return {};
  }

 private:
  static Error no_multicast() {
    return Error::failed_precondition(
        "a multicast cannot be encrypted or authenticated, and this capsule has an `identity`; "
        "send to each member by itself");
  }
  /// With the lock held: the socket that multicasts leave by, on the loopback interface.
  Status open_sender() {
    if (sender_) return {};
    NetworkAddress any;
    any.octets[10] = any.octets[11] = 0xff;
    std::memcpy(any.octets + 12, "\x7f\x00\x00\x01", 4);
    sender_ = HECTOR_TRY(context_.network->open(
        {any, std::nullopt, Reading::kNetworkThread},
        [this](const NetworkAddress& from, Octets packet) { confirm(from, packet); }));
    return {};
  }

  /// With the lock held.
  void remember(std::uint64_t message, std::string digest) {
    if (sent_order_.size() >= kSentMulticastsMax) {
      sent_.erase(sent_order_.front());
      sent_order_.pop_front();
    }
    sent_order_.push_back(message);
    sent_.emplace(message, std::move(digest));
  }
  /// A member asks whether a multicast came from here: only its sender knows its number and content
  /// and is at this address.
  void confirm(const NetworkAddress& from, Octets packet) {
    Reader reader(packet);
    const auto type = static_cast<PacketType>(reader.octet());
    const std::uint64_t message = reader.fixed();
    const std::uint64_t token = reader.fixed();
    const Octets digest = reader.raw(kDigestOctets);
    if (!reader.ok() || type != PacketType::kDidYouSend) return;
    const std::lock_guard lock(mutex_);
    const auto found = sent_.find(message);
    if (found == sent_.end() || !sender_ ||
        !std::equal(digest.begin(), digest.end(), octets_of(found->second).begin()))
      return;
    std::string answer;
    Writer(answer).type(PacketType::kISent).fixed(message).fixed(token);
    send_packet(*sender_, from, answer);
  }

  ProtocolContext context_;
  std::unique_ptr<tls::Tls> tls_;  ///< null without credentials
  ProtocolCapabilities capabilities_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::string> sent_;  ///< digests, by the multicast's number
  std::deque<std::uint64_t> sent_order_;
  std::unique_ptr<DatagramSocket> sender_;  ///< last: it reads until it is gone
};

}  // namespace

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context) {
  return std::make_unique<UdpProtocol>(context);
}

}  // namespace hector::udp
