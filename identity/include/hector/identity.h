// What: whose certificate chain or token this is, judged against bundles of trust domains.
// Why: one judgement, with one error for each fault and one order of faults, for the command line,
// the protocols and the services; no capsule is needed for it.
// Who: `hector identity check`, whatever authenticates a peer.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"

namespace hector::identity {

/// Why an identity is refused. When several apply, the first that is found counts: README.md has
/// the order.
enum class Fault : std::uint8_t {
  kMalformed,
  kUntrustedDomain,
  kBadSignature,
  kAlgRefused,
  kNotYetValid,
  kExpired,
  kWrongAudience,
  kRevoked,
};
/// "MALFORMED", "UNTRUSTED_DOMAIN", …
std::string_view fault_name(Fault fault) noexcept;

struct Refusal {
  Fault fault = Fault::kMalformed;
  std::string message;  ///< for people; ASCII, whatever the input held
};

template <class T>
using Judged = tl::expected<T, Refusal>;

/// A moment of UTC. Years that certificates can name do not fit nanoseconds in 64 bits.
struct Instant {
  std::int64_t seconds = 0;  ///< since 1970
  std::uint32_t nanoseconds = 0;

  auto operator<=>(const Instant&) const = default;
};
/// RFC 3339, in UTC ("2026-11-27T08:00:00Z", with a fraction if wanted). INVALID_ARGUMENT.
Result<Instant> read_instant(std::string_view text);

/// Whom each trust domain trusts. Not for several threads while add() runs.
class TrustBundles {
 public:
  struct Domains;

  TrustBundles();
  ~TrustBundles();
  TrustBundles(TrustBundles&&) noexcept;
  TrustBundles& operator=(TrustBundles&&) noexcept;

  /// `text` is PEM with blocks CERTIFICATE, or a JWKS where its first character is '{'. A domain
  /// that is there already gets the union. INVALID_ARGUMENT: no trust domain; neither PEM nor JWKS.
  Status add(std::string_view trust_domain, std::string_view text);

  /// Certificates of this domain's authorities that are not valid any more: "KEY-ID SERIAL" each,
  /// the issuer's subject key id and the serial in hexadecimal.
  void revoke(std::string_view trust_domain, const std::vector<std::string>& certificates);

  [[nodiscard]] const Domains& domains() const { return *domains_; }

 private:
  std::unique_ptr<Domains> domains_;
};

struct Question {
  Instant at;                           ///< the only clock of the judgement
  std::optional<std::string> audience;  ///< ours; a token is for nobody without it
};

/// `content`: PEM with the leaf first, where it has "-----BEGIN " in it; else a compact JWT. The
/// SPIFFE id of its principal. Any thread; does not block.
Judged<std::string> judge(std::string_view content, const TrustBundles& bundles,
                          const Question& question);

inline constexpr std::size_t kContentOctetsMax = 1U << 20U;  ///< above: MALFORMED
inline constexpr std::size_t kCertificatesMax = 16;          ///< of one chain; above: MALFORMED
inline constexpr std::size_t kTokenOctetsMax = 16U << 10U;   ///< above: MALFORMED

}  // namespace hector::identity
