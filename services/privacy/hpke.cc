#include "hpke.h"

#include "hkdf.h"

namespace hector::privacy {

namespace {

// The registered numbers: KEM 0x0020, KDF 0x0001, AEAD 0x0002.
constexpr std::string_view kKemSuite{"KEM\x00\x20", 5};
constexpr std::string_view kSuite{"HPKE\x00\x20\x00\x01\x00\x02", 10};
constexpr std::string_view kVersion = "HPKE-v1";
constexpr std::string_view kBaseMode{"\x00", 1};

Wiped<32> labeled_extract(std::string_view suite, std::string_view salt, std::string_view label,
                          std::string_view key_material) {
  return hkdf_extract(salt, {kVersion, suite, label, key_material});
}
struct Label {
  std::string_view suite, label;
};
template <std::size_t size>
Wiped<size> labeled_expand(const Wiped<32>& key, Label label, Parts context) {
  constexpr char kLength[] = {0, static_cast<char>(size)};
  std::string all;
  for (const auto part : context) all += part;
  return hkdf_expand<size>(key,
                           {std::string_view(kLength, 2), kVersion, label.suite, label.label, all});
}

Wiped<32> shared_secret(const Wiped<32>& point, std::string_view encapsulated,
                        std::string_view recipient) {
  const auto extracted = labeled_extract(kKemSuite, {}, "eae_prk", point.view());
  return labeled_expand<32>(extracted, {kKemSuite, "shared_secret"}, {encapsulated, recipient});
}

}  // namespace

std::string x25519_public(std::string_view private_key) {
  std::string made(kX25519Octets, '\0');
  crypto_scalarmult_base(octets(made), octets(private_key));
  return made;
}

std::optional<Wiped<32>> x25519(std::string_view private_key, std::string_view point) {
  Wiped<32> shared;
  if (crypto_scalarmult(shared.data(), octets(private_key), octets(point)) != 0)
    return std::nullopt;
  return shared;
}

std::optional<Encapsulated> hpke_encapsulate(std::string_view recipient,
                                             std::string_view ephemeral) {
  const auto point = x25519(ephemeral, recipient);
  if (!point) return std::nullopt;
  std::string encapsulated = x25519_public(ephemeral);
  auto shared = shared_secret(*point, encapsulated, recipient);
  return Encapsulated{shared, std::move(encapsulated)};
}

std::optional<Wiped<32>> hpke_decapsulate(std::string_view private_key,
                                          std::string_view encapsulated) {
  const auto point = x25519(private_key, encapsulated);
  if (!point) return std::nullopt;
  return shared_secret(*point, encapsulated, x25519_public(private_key));
}

HpkeKeys hpke_schedule(const Wiped<32>& shared, std::string_view info) {
  const auto psk_id_hash = labeled_extract(kSuite, {}, "psk_id_hash", {});
  const auto info_hash = labeled_extract(kSuite, {}, "info_hash", info);
  const auto secret = labeled_extract(kSuite, shared.view(), "secret", {});
  const Parts context{kBaseMode, psk_id_hash.view(), info_hash.view()};
  return {labeled_expand<32>(secret, {kSuite, "key"}, context),
          labeled_expand<12>(secret, {kSuite, "base_nonce"}, context)};
}

}  // namespace hector::privacy
