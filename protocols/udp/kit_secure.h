// What: TapNetwork, a network whose datagrams a test sees; SecureEnd, one capsule's side of udp,
// without a kernel.
// Why: what goes over the wire, and who is refused, is asked of the protocol itself.
// Who: udp_test.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hector/protocol.h"
#include "simulation.h"
#include "tls/testing.h"
#include "udp_protocol.h"

namespace hector::udp {

struct Sent {
  NetworkAddress from, to;
  std::string octets;
};

/// What each socket of it sends is kept, and passes if it may.
class TapNetwork final : public Network {
 public:
  explicit TapNetwork(std::unique_ptr<Network> inner) : inner_(std::move(inner)) {}
  Result<std::unique_ptr<DatagramSocket>> open(const SocketOptions& options,
                                               DatagramSocket::Receiver receiver) override {
    auto socket = HECTOR_TRY(inner_->open(options, std::move(receiver)));
    return std::unique_ptr<DatagramSocket>(std::make_unique<Socket>(*this, std::move(socket)));
  }
  std::vector<Sent> sent;
  std::function<bool(const Sent&)> passes = [](const Sent&) { return true; };

 private:
  class Socket final : public DatagramSocket {
   public:
    Socket(TapNetwork& tap, std::unique_ptr<DatagramSocket> inner)
        : tap_(tap), inner_(std::move(inner)) {}
    bool send(const NetworkAddress& to,
              std::span<const std::span<const std::uint8_t>> parts) noexcept override {
      Sent one{inner_->local(), to, {}};
      for (const auto& part : parts) one.octets.append(part.begin(), part.end());
      tap_.sent.push_back(one);
      return !tap_.passes(one) || inner_->send(to, parts);
    }
    NetworkAddress local() const override { return inner_->local(); }
    bool receive_here(TimePoint until) noexcept override { return inner_->receive_here(until); }
    Status join(const NetworkAddress& group) override { return inner_->join(group); }

   private:
    TapNetwork& tap_;
    std::unique_ptr<DatagramSocket> inner_;
  };
  std::unique_ptr<Network> inner_;
};

/// Answers with what it was asked; "wait" is not answered until it is cancelled.
class EchoInbound final : public Inbound {
 public:
  Status resolve(Call& call) override {
    call.operation = &operation_;
    call.kind = Kind::kRpc;
    call.flow = Flow::kNone;
    return {};
  }
  void accept(Call& call) noexcept override {
    peers.push_back(*call.peer);
    principals.push_back(call.header.principal);
    if (call.header.operation_name != "wait") return call.complete(Payload(call.request.bytes()));
    call.on_cancel([this, &call] {
      cancelled.push_back(call.why_cancelled().message);
      call.fail(call.why_cancelled());
    });
  }
  std::vector<ServiceDescription> services() const override { return {}; }
  Result<Bytes> request_from_json(const Call&, std::string_view) const override { return Bytes(); }
  Result<std::string> reply_to_json(const Call&, const Bytes&) const override { return ""; }
  std::vector<Peer> peers;
  std::vector<std::string> principals;
  std::vector<std::string> cancelled;

 private:
  Operation operation_;
};

/// Keeps what is logged.
class KeptLog final : public Log {
 public:
  void write(Level, std::string_view event, std::initializer_list<Field> fields) noexcept override {
    std::string line(event);
    for (const auto& [name, value] : fields)
      line += " " + std::string(name) + "=" + std::string(value);
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

struct SecureEnd {
  SecureEnd(testing::Simulation& world, const std::string& host, Credentials* credentials)
      : address(host + ":7000"), network(world.host(host)) {
    context.clock = &world;
    context.random = &world;
    context.executor = &world;
    context.log = &log;
    context.network = &network;
    context.inbound = &inbound;
    context.credentials = credentials;
    protocol = make_protocol(context);
  }
  void listen() { endpoint = *protocol->listen(address); }

  const std::string address;
  TapNetwork network;
  KeptLog log;
  EchoInbound inbound;
  ProtocolContext context;
  std::unique_ptr<Protocol> protocol;
  std::unique_ptr<Endpoint> endpoint;
};

/// How one call ended.
struct Ended {
  std::optional<Error> error;
  std::string reply;
};

/// Starts a call; the result is there when it has ended.
inline std::shared_ptr<std::optional<Ended>> start_call(Channel& channel, TimePoint deadline,
                                                        const std::string& operation,
                                                        const std::string& text,
                                                        const std::string& principal = {}) {
  auto ended = std::make_shared<std::optional<Ended>>();
  auto& call = CallbackCall::make([ended](Call& over) {
    *ended = Ended{over.error, over.error ? "" : over.reply.bytes().str()};
  });
  call.header.operation_name = operation;
  call.header.principal = principal;
  call.header.deadline = deadline;
  call.request = Payload(Bytes::copy(text));
  channel.start(call);
  return ended;
}

}  // namespace hector::udp
