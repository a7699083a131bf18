// What: what Privacy protects and reveals in a second, beside OpenSSL's EVP alone, with Google
// Benchmark.
// Why: a keyset, a fresh nonce and a prefix cost something; it is known what.
// Who: people who make it faster; `bench_privacy`.
#include <benchmark/benchmark.h>

#include "aes_gcm.h"
#include "keyring.h"

namespace {

using namespace hector::privacy;

constexpr std::size_t kNonce = 12, kTag = 16;

/// One context with one key for all messages, a nonce that counts, one buffer.
void evp_aes_256_gcm(benchmark::State& state) {
  const auto size = static_cast<int>(state.range(0));
  const std::string text(state.range(0), 'x'), key(32, 'k');
  std::string out(text.size() + kTag, '\0'), nonce(kNonce, 'n');
  const EvpContext context(EVP_CIPHER_CTX_new());
  EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(std::string_view(key)),
                     nullptr);
  for (auto step : state) {
    ++nonce[0];
    int done = 0;
    EVP_EncryptInit_ex(context.get(), nullptr, nullptr, nullptr, octets(std::string_view(nonce)));
    EVP_EncryptUpdate(context.get(), octets(out), &done, octets(std::string_view(text)), size);
    EVP_EncryptFinal_ex(context.get(), octets(out) + size, &done);
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, octets(out) + size);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

Keyring& ring_with(const std::string& form, Keyring& ring) {
  static_cast<void>(ring.create({"k", form, {}}));
  return ring;
}

void protect(benchmark::State& state, const std::string& form) {
  Keyring made;
  Keyring& ring = ring_with(form, made);
  const std::string text(state.range(0), 'x');
  for (auto step : state) benchmark::DoNotOptimize(ring.protect({"k", {}}, text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void reveal(benchmark::State& state, const std::string& form) {
  Keyring made;
  Keyring& ring = ring_with(form, made);
  const auto sealed = ring.protect({"k", {}}, std::string(state.range(0), 'x'));
  for (auto step : state) benchmark::DoNotOptimize(ring.open({"k", {}}, sealed->octets));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void rewrap(benchmark::State& state) {
  Keyring made;
  Keyring& ring = ring_with("AES256_GCM", made);
  const auto sealed = ring.protect({"k", {}}, std::string(state.range(0), 'x'));
  for (auto step : state) benchmark::DoNotOptimize(ring.rewrap({"k", {}}, sealed->octets));
}

}  // namespace

BENCHMARK(evp_aes_256_gcm)->Arg(256)->Arg(1024)->Arg(16384);
BENCHMARK_CAPTURE(protect, aes256_gcm, "AES256_GCM")->Arg(256)->Arg(1024)->Arg(16384);
BENCHMARK_CAPTURE(reveal, aes256_gcm, "AES256_GCM")->Arg(256)->Arg(1024)->Arg(16384);
BENCHMARK_CAPTURE(protect, xchacha20, "XCHACHA20")->Arg(256)->Arg(1024)->Arg(16384);
BENCHMARK(rewrap)->Arg(256);

BENCHMARK_MAIN();
