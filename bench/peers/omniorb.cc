// What: the omniORB peer: an echo server, its client, and a co-located call.
// Why: omniORB is the RPC system to beat.
// Who: bench; beside what all peers do, `local COUNT` times a co-located call.
#include <omniORB4/CORBA.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "echo.hh"
#include "peer.h"

class Servant : public POA_Bench::Mirror {
 public:
  Bench::Data* echo(const Bench::Data& request) override { return new Bench::Data(request); }
  CORBA::Long null(CORBA::Long value) override { return value + 1; }
};

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  const std::string mode = argc > 1 ? argv[1] : "";
  int none = 1;
  const char* options[][2] = {{"endPoint", "giop:tcp:127.0.0.1:"}, {nullptr, nullptr}};
  CORBA::ORB_var orb = CORBA::ORB_init(none, argv, "omniORB4", options);
  if (mode == "call") {
    CORBA::Object_var object = orb->string_to_object(argv[2]);
    Bench::Mirror_var echo = Bench::Mirror::_narrow(object);
    Bench::Data request;
    request.length(peer::kOctets);
    peer::print_p50(std::atoi(argv[3]), [&] { Bench::Data_var reply = echo->echo(request); });
    return 0;
  }
  CORBA::Object_var root = orb->resolve_initial_references("RootPOA");
  PortableServer::POA_var poa = PortableServer::POA::_narrow(root);
  auto* servant = new Servant();
  PortableServer::ObjectId_var id = poa->activate_object(servant);
  Bench::Mirror_var echo = servant->_this();
  PortableServer::POAManager_var manager = poa->the_POAManager();
  manager->activate();
  if (mode == "local") {
    const int count = std::atoi(argv[2]);
    CORBA::Long value = 0;
    const auto begin = Clock::now();
    for (int i = 0; i < count; ++i) value = echo->null(value);
    std::printf("%.3f\n",
                std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / count +
                    (value == count ? 0 : 1e9));
    return 0;
  }
  CORBA::String_var ior = orb->object_to_string(echo);
  peer::say(ior);
  orb->run();
  return 0;
}
