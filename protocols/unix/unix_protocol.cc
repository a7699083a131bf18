#include "unix_protocol.h"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>

#include "hector/thread.h"
#include "unix_client.h"
#include "unix_server.h"

namespace hector::unix_sockets {

namespace {

/// Measured between two processes of one machine, rounded.
constexpr int kLatencyUs = 30;
constexpr int kCostUs = 10;

class UnixProtocol final : public Protocol {
 public:
  explicit UnixProtocol(ProtocolContext context)
      : context_(std::move(context)),
        io_(std::make_shared<Io>()),
        work_(io_->get_executor()),
        thread_("unix", [io = io_] { io->run(); }) {
    capabilities_.ordered = true;
    capabilities_.security = Security::kPrivacy;  // the system lets nobody else in
    capabilities_.latency_us = kLatencyUs;
    capabilities_.cost_us = kCostUs;
    capabilities_.reach = Reach::kHost;
    capabilities_.message_octets_max = kMessageOctetsMax;
    capabilities_.address_format = "MACHINE:/path of a socket file; to listen, a path or *";
  }
  /// Its Endpoints and Channels have gone, and with them what the thread waits for.
  ~UnixProtocol() override {
    work_.reset();
    thread_.join();
  }
  UnixProtocol(const UnixProtocol&) = delete;
  UnixProtocol& operator=(const UnixProtocol&) = delete;

  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override {
    return make_endpoint(context_, io_, HECTOR_TRY(parse_place(address, new_name())));
  }
  Result<std::unique_ptr<Channel>> connect(const std::string& address) override {
    return make_channel(context_, io_, HECTOR_TRY(parse_address(address)));
  }

 private:
  std::string new_name() {
    return fmt::format("{}-{:016x}", context_.capsule, context_.random->next());
  }

  ProtocolContext context_;
  ProtocolCapabilities capabilities_;
  const std::shared_ptr<Io> io_;  ///< owners: this, and every link
  boost::asio::executor_work_guard<Io::executor_type> work_;
  Thread thread_;
};

}  // namespace

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context) {
  return std::make_unique<UnixProtocol>(context);
}

}  // namespace hector::unix_sockets
