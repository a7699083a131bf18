#include "grpc_protocol.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <mutex>

#include "grpc_client.h"
#include "grpc_server.h"
#include "status_mapping.h"

namespace hector::grpcp {

namespace {

/// Measured on loopback between two processes of one machine (bench).
constexpr int kLatencyUs = 43;
constexpr int kCostUs = 43;

/// gRPC 1.51 shares one completion queue among all users of its callback API, makes it with the
/// first and destroys it with the last. Made again while its threads are still ending, it is freed
/// twice (found by the address sanitizer). One user for the process's whole life prevents that.
void hold_callback_queue() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct Held {
      grpc::GenericStub stub{
          grpc::CreateChannel("unix:/dev/null/nobody", grpc::InsecureChannelCredentials())};
      grpc::ClientContext context;
      grpc::ByteBuffer request, reply;
    };
    static auto* const held = new Held();  // never destroyed
    const grpc::Slice nothing;
    held->request = grpc::ByteBuffer(&nothing, 1);
    held->context.set_deadline(std::chrono::system_clock::now());
    held->stub.UnaryCall(&held->context, "/hector.Nobody/nothing", grpc::StubOptions(),
                         &held->request, &held->reply, [](const grpc::Status&) {});
  });
}

class GrpcProtocol final : public Protocol {
 public:
  explicit GrpcProtocol(ProtocolContext context) : context_(std::move(context)) {
    capabilities_.message_octets_max = kMessageOctetsMax;
    capabilities_.latency_us = kLatencyUs;
    capabilities_.cost_us = kCostUs;
    capabilities_.reach = Reach::kEverywhere;
    capabilities_.address_format = "HOST:PORT";
    if (context_.credentials != nullptr) capabilities_.security = Security::kPrivacy;
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
  hold_callback_queue();
  return std::make_unique<GrpcProtocol>(context);
}

}  // namespace hector::grpcp
