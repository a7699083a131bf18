// What: the Cap'n Proto peer: an echo server and its client over TCP.
// Why: Cap'n Proto's RPC is the reference for promise pipelining and capability passing.
// Who: bench.
#include <capnp/ez-rpc.h>

#include <cstdlib>
#include <string>

#include "echo.capnp.h"
#include "peer.h"

namespace {

class MirrorServer final : public Mirror::Server {
 protected:
  kj::Promise<void> echo(EchoContext context) override {
    context.getResults().setData(context.getParams().getData());
    return kj::READY_NOW;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "serve") {
    capnp::EzRpcServer server(kj::heap<MirrorServer>(), "127.0.0.1", 0);
    const auto port = server.getPort().wait(server.getWaitScope());
    peer::say(std::to_string(port).c_str());
    kj::NEVER_DONE.wait(server.getWaitScope());
  }
  capnp::EzRpcClient client("127.0.0.1", static_cast<kj::uint>(std::stoi(argv[2])));
  auto mirror = client.getMain<Mirror>();
  const kj::byte octets[peer::kOctets] = {};
  peer::print_p50(std::stoi(argv[3]), [&] {
    auto request = mirror.echoRequest();
    request.setData(kj::arrayPtr(octets, sizeof octets));
    const auto reply = request.send().wait(client.getWaitScope());
    if (reply.getData().size() != sizeof octets) std::abort();
  });
  return 0;
}
