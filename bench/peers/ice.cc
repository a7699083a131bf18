// What: the ZeroC Ice peer: an echo server and its client over TCP.
// Why: Ice is the rival whose services and languages come nearest to ours.
// Who: bench.
#include <Ice/Ice.h>

#include <cstdlib>
#include <string>

#include "echo.h"
#include "peer.h"

namespace {

class MirrorServant final : public BenchIce::Mirror {
 public:
  BenchIce::Data echo(BenchIce::Data request, const Ice::Current&) override { return request; }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  const Ice::CommunicatorHolder held(argc, argv);
  const auto communicator = held.communicator();
  if (mode == "serve") {
    const auto adapter =
        communicator->createObjectAdapterWithEndpoints("mirror", "tcp -h 127.0.0.1");
    const auto proxy =
        adapter->add(std::make_shared<MirrorServant>(), Ice::stringToIdentity("mirror"));
    adapter->activate();
    peer::say(communicator->proxyToString(proxy).c_str());
    communicator->waitForShutdown();
    return 0;
  }
  const auto mirror = Ice::uncheckedCast<BenchIce::MirrorPrx>(communicator->stringToProxy(argv[2]));
  const BenchIce::Data octets(peer::kOctets);
  peer::print_p50(std::stoi(argv[3]), [&] {
    if (mirror->echo(octets).size() != octets.size()) std::abort();
  });
  return 0;
}
