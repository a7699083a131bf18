#include "identity/certificate_chain.h"

#include <fmt/format.h>

#include <algorithm>

#include "identity/pem.h"
#include "identity/verdict.h"

namespace hector::identity {

namespace {

// Certificates that share names make many paths of few certificates; honest chains need a handful.
constexpr std::size_t kStepsMax = 2000;

bool holds(const std::vector<CertificatePtr>& all, const Certificate& one) {
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& each) { return each->der() == one.der(); });
}

/// MALFORMED: what no certificate that is sent may have.
Judged<CertificatePtr> read_sent(const std::string& der) {
  auto read = Certificate::read(der);
  if (!read) return read;
  if (!(*read)->flaw().empty())
    return malformed(fmt::format("a certificate is malformed: {}", (*read)->flaw()));
  if (!(*read)->is_version_3())
    return malformed("a certificate is of version 1 or 2, which has no extensions");
  return read;
}

bool is_usable(const Certificate& authority) {
  return authority.flaw().empty() && !authority.has_unknown_critical_extension();
}

/// Looks for paths upwards from the leaf. One judgement.
class Search {
 public:
  Search(const Chain& chain, const TrustBundle& bundle, Instant at)
      : chain_(chain), authorities_(bundle.authorities), terms_{at, bundle.revoked} {}

  Judged<Path> judge() {
    Path path{chain_.leaf};
    if (follow(path)) return std::move(good_);
    if (furthest_) return refuse(std::move(furthest_->refusal));
    if (is_named(Only::kUsable, authorities_))
      return refuse(Fault::kBadSignature,
                    "an issuer is found by its name, and its key does not verify the signature");
    if (is_named(Only::kBroken, authorities_) || is_named(Only::kBroken, chain_.others))
      return malformed(
          "a certificate above the leaf has a critical extension that is not known here, or is "
          "malformed");
    return refuse(Fault::kUntrustedDomain,
                  fmt::format("no path leads to an authority of the trust domain '{}'",
                              chain_.id.trust_domain()));
  }

 private:
  enum class Only : std::uint8_t { kUsable, kBroken };

  /// Along signatures that verify. True once a path is good.
  bool follow(Path& path) {
    if (++steps_ > kStepsMax) return false;
    const Certificate& last = *path.back();
    for (const auto& authority : authorities_) {
      if (!is_usable(*authority) || !is_signed(last, *authority)) continue;
      path.push_back(authority);
      const bool is_good = try_path(path);
      path.pop_back();
      if (is_good) return true;
    }
    for (const auto& each : chain_.others) {
      if (!is_usable(*each) || is_on(path, *each) || !is_signed(last, *each)) continue;
      path.push_back(each);
      const bool is_good = follow(path);
      path.pop_back();
      if (is_good) return true;
    }
    return false;
  }

  bool try_path(const Path& path) {
    auto refusal = judge_path(path, terms_);
    if (!refusal) {
      good_ = path;
      return true;
    }
    if (!furthest_ || refusal->stage > furthest_->stage) furthest_ = std::move(refusal);
    return false;
  }

  static bool is_on(const Path& path, const Certificate& one) {
    return std::any_of(path.begin(), path.end(),
                       [&](const auto& each) { return each->is_same_authority(one); });
  }

  static bool is_signed(const Certificate& subject, const Certificate& issuer) {
    return subject.names_issuer(issuer) && subject.signature_of(issuer) != Signature::kBad;
  }

  /// Whether one of `wanted` is reached from the leaf by names alone: a usable one through usable
  /// ones, a broken one through any.
  bool is_named(Only only, const std::vector<CertificatePtr>& wanted) const {
    std::vector<CertificatePtr> reached{chain_.leaf};
    for (std::size_t i = 0; i < reached.size(); ++i) {
      const CertificatePtr here = reached[i];
      for (const auto& each : wanted) {
        if (is_usable(*each) == (only == Only::kUsable) && here->names_issuer(*each)) return true;
      }
      for (const auto& each : chain_.others) {
        const bool may_pass = only == Only::kBroken || is_usable(*each);
        if (may_pass && here->names_issuer(*each) && !holds(reached, *each))
          reached.push_back(each);
      }
    }
    return false;
  }

  const Chain& chain_;
  const std::vector<CertificatePtr>& authorities_;
  const PathTerms terms_;
  std::size_t steps_ = 0;
  std::optional<PathRefusal> furthest_;
  Path good_;
};

}  // namespace

Judged<Chain> Chain::read(std::string_view pem) {
  const auto blocks = read_pem_certificates(pem);
  if (!blocks) return malformed(fmt::format("the chain is malformed: {}", blocks.error()));
  if (blocks->size() > kCertificatesMax)
    return malformed(fmt::format("the chain has more than {} certificates", kCertificatesMax));
  std::vector<CertificatePtr> all;
  for (const auto& der : *blocks) {
    auto certificate = read_sent(der);
    if (!certificate) return refuse(certificate.error());
    if (!holds(all, **certificate)) all.push_back(std::move(*certificate));
  }
  auto id = all.front()->leaf_id();
  if (!id) return refuse(id.error());
  CertificatePtr leaf = all.front();
  all.erase(all.begin());
  return Chain{std::move(leaf), std::move(*id), std::move(all)};
}

Judged<Path> judge_chain(const Chain& chain, const TrustBundle& bundle, Instant at) {
  return Search(chain, bundle, at).judge();
}

}  // namespace hector::identity
