#include "grpc_protocol.h"

#include "grpc_client.h"
#include "grpc_server.h"
#include "status_mapping.h"

namespace hector::grpcp {

namespace {

class GrpcProtocol final : public Protocol {
 public:
  explicit GrpcProtocol(ProtocolContext context) : context_(std::move(context)) {
    capabilities_.message_octets_max = kMessageOctetsMax;
    capabilities_.address_format = "HOST:PORT";
  }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override { return make_endpoint(context_, address); }
  Result<std::shared_ptr<Channel>> connect(const std::string& address) override { return make_channel(context_, address); }

 private:
  ProtocolContext context_;
  ProtocolCapabilities capabilities_;

};

}  // namespace

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context) { return std::make_unique<GrpcProtocol>(context); }

}  // namespace hector::grpcp
