// What: what a proved connection costs: the handshake of both ends, and the judgement of a chain.
// Why: a Binding to another capsule begins with them.
// Who: people who make Hector faster; `bench_tls`.
#include "tls/tls.h"

#include <benchmark/benchmark.h>

#include "hector/check.h"
#include "tls/testing.h"

namespace {

using namespace hector;
using namespace hector::tls;

struct World {
  TestRealm realm;
  TestCredentials north{realm, "capsule/north"}, south{realm, "capsule/south"};
};

/// Both ends of one connection on one processor: what each end costs is half of it.
void handshake(benchmark::State& state, Transport transport) {
  World world;
  Tls server(world.north, {.transport = transport}), client(world.south, {.transport = transport});
  for (auto _ : state) {
    const SslPtr accepting = *server.accepting(), connecting = *client.connecting("capsule:north");
    BIO *near = nullptr, *far = nullptr;
    BIO_new_bio_pair(&near, 0, &far, 0);
    SSL_set_bio(accepting.get(), near, near);
    SSL_set_bio(connecting.get(), far, far);
    bool is_done = false;
    for (int i = 0; i < 20 && !is_done; ++i) {
      const int here = SSL_do_handshake(connecting.get());
      is_done = SSL_do_handshake(accepting.get()) == 1 && here == 1;
    }
    HECTOR_CHECK(is_done, "a handshake fails");
  }
}
BENCHMARK_CAPTURE(handshake, mutual_tls_both_ends, Transport::kStream)
    ->Unit(benchmark::kMicrosecond);

void judgement_of_a_chain(benchmark::State& state) {
  World world;
  const std::string chain = world.south.own()->chain;
  for (auto _ : state) benchmark::DoNotOptimize(world.north.examine(chain));
}
BENCHMARK(judgement_of_a_chain)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
