#include "identity/certificate_path.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

#include "identity/issuing.h"
#include "identity/verdict.h"

namespace hector::identity {

namespace {

constexpr int kAuthLevel = 2;  // 112 bits: RSA of 2,048

using Found = std::optional<PathRefusal>;

Found at_stage(Stage stage, Fault fault, std::string message) {
  return PathRefusal{stage, {fault, std::move(message)}};
}

/// An authority's own signature is nobody's claim: it is trusted as it is.
Found judge_algorithms(const Path& path) {
  for (const auto& each : path) {
    if (!each->has_accepted_key())
      return at_stage(Stage::kAlgorithms, Fault::kAlgRefused,
                      "a key on the path is not RSA of 2,048 bits or more, P-256, P-384, P-521 or "
                      "Ed25519");
    if (each != path.back() && !each->has_accepted_signature())
      return at_stage(Stage::kAlgorithms, Fault::kAlgRefused,
                      "a certificate on the path is signed with less than SHA-256");
  }
  return {};
}

Found judge_signers(const Path& path) {
  const bool may_all =
      std::all_of(path.begin() + 1, path.end(), [](const auto& each) { return each->may_sign(); });
  if (may_all) return {};
  return at_stage(Stage::kAuthorities, Fault::kUntrustedDomain,
                  "a certificate on the path signs others and may not (CA:TRUE, keyCertSign)");
}

/// What OpenSSL's reasons are here; what is not named is a rule of authorities.
PathRefusal refusal_of(int reason) {
  const std::string message =
      fmt::format("the path is refused: {}", X509_verify_cert_error_string(reason));
  switch (reason) {
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
      return {Stage::kShape, {Fault::kMalformed, message}};
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
    case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
      return {Stage::kAlgorithms, {Fault::kAlgRefused, message}};
    default:
      return {Stage::kAuthorities, {Fault::kUntrustedDomain, message}};
  }
}

/// OpenSSL's own judgement of these certificates: path lengths, name constraints and all that
/// RFC 5280 has beside. Validity is judged after it.
Found judge_by_openssl(const Path& path) {
  const StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), path.back()->handle());
  STACK_OF(X509)* const between = sk_X509_new_null();
  for (std::size_t i = 1; i + 1 < path.size(); ++i) sk_X509_push(between, path[i]->handle());
  const StoreContextPtr context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), path.front()->handle(), between);
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  X509_VERIFY_PARAM_set_auth_level(rules, kAuthLevel);
  // A name constraint is about alternative names; a subject is no DNS name (RFC 5280, 4.2.1.10).
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const bool is_good = X509_verify_cert(context.get()) == 1;
  const int reason = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(between);
  ERR_clear_error();
  if (is_good) return {};
  return refusal_of(reason);
}

Found judge_times(const Path& path, Instant at) {
  for (const auto& each : path) {
    if (at < Instant{each->not_before(), 0})
      return at_stage(Stage::kBegin, Fault::kNotYetValid,
                      "a certificate on the path is not valid yet");
  }
  for (const auto& each : path) {
    if (at > Instant{each->not_after(), 0})
      return at_stage(Stage::kEnd, Fault::kExpired, "a certificate on the path has expired");
  }
  return {};
}

Found judge_revocations(const Path& path, const PathTerms& terms) {
  if (terms.revoked.empty()) return {};
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const auto name = key_id_of(path[i + 1]->handle()) + " " + serial_of(path[i]->handle());
    if (terms.revoked.contains(name))
      return at_stage(Stage::kRevoked, Fault::kRevoked,
                      "a certificate on the path was revoked by its authority");
  }
  return {};
}

}  // namespace

std::optional<PathRefusal> judge_path(const Path& path, const PathTerms& terms) {
  if (auto refusal = judge_algorithms(path)) return refusal;
  if (auto refusal = judge_signers(path)) return refusal;
  if (auto refusal = judge_by_openssl(path)) return refusal;
  if (auto refusal = judge_times(path, terms.at)) return refusal;
  return judge_revocations(path, terms);
}

}  // namespace hector::identity
