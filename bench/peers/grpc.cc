// What: the gRPC peer: a generic callback service and a generic stub, with nothing of Hector
// between. Why: what Hector adds to the protocol it carries. Who: bench.
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server_builder.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>

#include "peer.h"

namespace {

class Echo final : public grpc::CallbackGenericService {
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    Reactor() { StartRead(&buffer_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::CANCELLED);
      StartWriteAndFinish(&buffer_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer buffer_;
  };
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Reactor();
  }
};

void serve() {
  Echo service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&service);
  const auto server = builder.BuildAndStart();
  peer::say(std::to_string(port).c_str());
  server->Wait();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "serve") serve();
  grpc::GenericStub stub(
      grpc::CreateChannel("127.0.0.1:" + std::string(argv[2]), grpc::InsecureChannelCredentials()));
  const std::string octets(peer::kOctets, 'x');
  peer::print_p50(std::stoi(argv[3]), [&] {
    grpc::ClientContext context;
    grpc::Slice slice(octets);
    grpc::ByteBuffer request(&slice, 1), reply;
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    stub.UnaryCall(&context, "/bench.Echo/echo", grpc::StubOptions(), &request, &reply,
                   [&](const grpc::Status& status) {
                     if (!status.ok()) std::abort();
                     const std::lock_guard lock(mutex);
                     done = true;
                     changed.notify_one();
                   });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
  });
  return 0;
}
