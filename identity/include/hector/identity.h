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

  /// Key ids of a domain's authorities, in hexadecimal; none of a domain that is not there.
  [[nodiscard]] std::vector<std::string> authorities(std::string_view trust_domain) const;

  [[nodiscard]] const Domains& domains() const { return *domains_; }

 private:
  std::unique_ptr<Domains> domains_;
};

/// Whether it is the id of a workload, as a leaf or a sub has to be. MALFORMED says why not.
Judged<void> check_id(std::string_view id);
/// Whether it can be a trust domain's name.
bool is_domain(std::string_view name) noexcept;

struct Question {
  Instant at;                           ///< the only clock of the judgement
  std::optional<std::string> audience;  ///< ours; a token is for nobody without it
};

/// `content`: PEM with the leaf first, where it has "-----BEGIN " in it; else a compact JWT. The
/// SPIFFE id of its principal. Any thread; does not block.
Judged<std::string> judge(std::string_view content, const TrustBundles& bundles,
                          const Question& question);

enum class Credential : std::uint8_t { kChain, kToken };

/// What is known of a principal that was accepted.
struct Accepted {
  Credential credential = Credential::kChain;
  std::string id;  ///< SPIFFE id
  std::string trust_domain;
  Instant not_after;      ///< of all that it stands on: a token's exp, the earliest end of a path
  int strength_bits = 0;  ///< of the weakest key that it stands on
  /// Of a chain: "KEY-ID SERIAL" of each certificate below the authority, as revoke() takes them.
  std::vector<std::string> certificates;
  std::string leaf_sha256;  ///< of a chain: of the leaf's DER, 32 octets
  std::string claims;       ///< of a token: JSON, as it was signed; hector/token.h reads more of it
};
/// As judge().
Judged<Accepted> examine(std::string_view content, const TrustBundles& bundles,
                         const Question& question);
/// Whether `proof` was signed with the key of the leaf of `chain`, which examine() has accepted: a
/// compact JWT (RFC 7523) with the leaf's id as its sub, for the question's audience. What is known
/// of that token. BAD_SIGNATURE where its sub is another. Any thread.
Judged<Accepted> judge_possession(std::string_view chain, std::string_view proof,
                                  const Question& question);

inline constexpr std::size_t kContentOctetsMax = 1U << 20U;  ///< above: MALFORMED
inline constexpr std::size_t kCertificatesMax = 16;          ///< of one chain; above: MALFORMED
inline constexpr std::size_t kTokenOctetsMax = 16U << 10U;   ///< above: MALFORMED

}  // namespace hector::identity
