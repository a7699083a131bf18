#include <algorithm>

#include "hector/check.h"
#include "reactor.h"
#include "relay.h"
#include "roc.h"

namespace hector::zeromq {

namespace {

/// The broker looks for silent workers at least this often.
constexpr Duration kTickMax = std::chrono::milliseconds(500);

/// A Broker behind a ROUTER socket, with the relay of status and logs.
class BrokerEndpoint final : public Endpoint {
 public:
  BrokerEndpoint(const ProtocolContext& context, const RocOptions& options)
      : context_(context),
        broker_(options.broker, [this](const std::string& address, const Frames& frames) {
          send(address, frames);
        }) {}
  ~BrokerEndpoint() override { reactor_.stop(); }
  Status open(const RocOptions& options) {
    return on_reactor(reactor_, [this, options]() -> Status {
      router_ = HECTOR_TRY(reactor_.open(
          zmq::socket_type::router, Reactor::How::kBind, options.at.broker,
          [this](Frames frames) { receive(std::move(frames)); },
          [](zmq::socket_t& socket) { socket.set(zmq::sockopt::router_handover, true); }));
      HECTOR_TRY(relay_.open(reactor_, options.at.general_xsub, options.at.general_xpub, ""));
      reactor_.every(std::min<Duration>(options.broker.heartbeat / 4, kTickMax),
                     [this] { broker_.tick(context_.clock->now()); });
      return {};
    });
  }
  std::string address() const override { return {}; }
  void drain(Duration) noexcept override { reactor_.stop(); }

 private:
  void receive(Frames frames) {
    HECTOR_CHECK(!frames.empty(), "a ROUTER's message has no address");
    const std::string address = std::move(frames.front());
    frames.erase(frames.begin());
    broker_.receive(address, frames, context_.clock->now());
  }
  void send(const std::string& address, const Frames& frames) {
    Frames whole{address};
    whole.insert(whole.end(), frames.begin(), frames.end());
    Reactor::send(*router_, whole);  // dropped where the peer has gone
  }
  const ProtocolContext& context_;
  Broker broker_;
  Reactor::Socket* router_ = nullptr;
  Relay relay_;
  Reactor reactor_;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> open_broker(const ProtocolContext& context,
                                              const RocOptions& options) {
  auto broker = std::make_unique<BrokerEndpoint>(context, options);
  HECTOR_TRY(broker->open(options));
  return std::unique_ptr<Endpoint>(std::move(broker));
}

}  // namespace hector::zeromq
