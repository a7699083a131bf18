#include "tls/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstring>

#include "hector/check.h"

namespace hector::tls {

namespace {

Error unauthenticated(std::string message) { return {Code::kUnauthenticated, std::move(message)}; }

/// What a connection knows of its peer.
struct Judged {
  const Credentials& credentials;
  std::string expected;
  std::string chain;  ///< PEM
  std::optional<PeerIdentity> peer;
  std::optional<Error> refusal;
};

void free_judged(void*, void* judged, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Judged*>(judged);
}

int judged_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_judged);
  return index;
}

Judged* judged_of(const SSL& ssl) {
  return static_cast<Judged*>(SSL_get_ex_data(&ssl, judged_index()));
}

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

BioPtr reading(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

/// The certificates as the peer sent them, the leaf first.
std::string pem_of(X509_STORE_CTX* store) {
  const BioPtr out(BIO_new(BIO_s_mem()), &BIO_free);
  const auto* const sent = X509_STORE_CTX_get0_untrusted(store);
  for (int i = 0; i < sk_X509_num(sent); ++i) PEM_write_bio_X509(out.get(), sk_X509_value(sent, i));
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

/// The error whose alert tells the peer what is wrong (RFC 8446, 6.2).
int error_for_alert(const std::string& fault) {
  if (fault == "EXPIRED") return X509_V_ERR_CERT_HAS_EXPIRED;
  if (fault == "NOT_YET_VALID") return X509_V_ERR_CERT_NOT_YET_VALID;
  if (fault == "REVOKED") return X509_V_ERR_CERT_REVOKED;
  if (fault == "UNTRUSTED_DOMAIN") return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
  if (fault == "BAD_SIGNATURE") return X509_V_ERR_CERT_SIGNATURE_FAILURE;
  return X509_V_ERR_CERT_REJECTED;
}

/// Instead of OpenSSL's own verification.
int verify(X509_STORE_CTX* store, void*) {
  auto* const ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  HECTOR_CHECK(ssl != nullptr, "a chain is verified outside a handshake");
  Judged& judged = *judged_of(*ssl);
  judged.chain = pem_of(store);
  auto peer = judged.credentials.examine(judged.chain);
  ERR_clear_error();
  if (!peer) {
    X509_STORE_CTX_set_error(store, error_for_alert(peer.error().type));
    judged.refusal = std::move(peer.error());
    return 0;
  }
  if (!judged.expected.empty() && peer->principal != judged.expected) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    judged.refusal = unauthenticated(
        fmt::format("'{}' answers where '{}' is to be reached", peer->principal, judged.expected));
    judged.refusal->type = "WRONG_PEER";
    return 0;
  }
  judged.peer = std::move(*peer);
  return 1;
}

/// Of the protocols that the client speaks, the one that is spoken here.
int select_alpn(SSL*, const unsigned char** chosen, unsigned char* size,
                const unsigned char* offered, unsigned offered_size, void* wanted) {
  const auto& alpn = *static_cast<const std::string*>(wanted);
  for (unsigned at = 0; at < offered_size && at + 1 + offered[at] <= offered_size;
       at += 1U + offered[at]) {
    if (std::string_view(reinterpret_cast<const char*>(offered + at + 1), offered[at]) != alpn)
      continue;
    *chosen = offered + at + 1;
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Error unusable(const char* what) {
  const char* const why = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Error::failed_precondition(fmt::format("the own identity cannot be used: {} ({})", what,
                                                why == nullptr ? "no reason" : why));
}

Status use_identity(SSL_CTX* context, const OwnIdentity& own) {
  const BioPtr chain = reading(own.chain), key = reading(own.key);
  for (bool is_leaf = true;; is_leaf = false) {
    std::unique_ptr<X509, decltype(&X509_free)> read(
        PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), &X509_free);
    if (!read && is_leaf) return fail(unusable("no certificate is in it"));
    if (!read) break;
    if (is_leaf ? SSL_CTX_use_certificate(context, read.get()) != 1
                : SSL_CTX_add1_chain_cert(context, read.get()) != 1)
      return fail(unusable("a certificate of its chain"));
  }
  ERR_clear_error();  // the end of the file
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> read(
      PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!read || SSL_CTX_use_PrivateKey(context, read.get()) != 1)
    return fail(unusable("its key is none, or not that of its certificate"));
  return {};
}

}  // namespace

Result<std::unique_ptr<SSL_CTX, FreeSsl>> Tls::make_context(const OwnIdentity& own) {
  const bool is_stream = options_.transport == Transport::kStream;
  std::unique_ptr<SSL_CTX, FreeSsl> made(SSL_CTX_new(is_stream ? TLS_method() : DTLS_method()));
  HECTOR_CHECK(made != nullptr, "OpenSSL makes no context");
  SSL_CTX* const context = made.get();
  const int version = is_stream ? TLS1_3_VERSION : DTLS1_2_VERSION;
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set1_groups_list(context, "X25519:P-256");
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, verify, nullptr);
  if (!options_.alpn.empty()) {
    std::string offered(1, static_cast<char>(options_.alpn.size()));
    offered += options_.alpn;
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size()));
    SSL_CTX_set_alpn_select_cb(context, select_alpn, const_cast<std::string*>(&options_.alpn));
  }
  if (options_.prepare != nullptr) options_.prepare(*context);
  HECTOR_TRY(use_identity(context, own));
  return made;
}

Result<SslPtr> Tls::make() {
  const auto own = credentials_.own();
  const std::lock_guard lock(mutex_);
  if (own != own_) {
    context_ = HECTOR_TRY(make_context(*own));
    own_ = own;
  }
  SslPtr made(SSL_new(context_.get()));
  HECTOR_CHECK(made != nullptr, "OpenSSL makes no connection");
  return made;
}

Result<SslPtr> Tls::accepting() {
  auto made = HECTOR_TRY(make());
  SSL_set_ex_data(made.get(), judged_index(), new Judged{credentials_, {}, {}, {}, {}});
  SSL_set_accept_state(made.get());
  return made;
}

Result<SslPtr> Tls::connecting(const std::string& expected) {
  auto made = HECTOR_TRY(make());
  SSL_set_ex_data(made.get(), judged_index(), new Judged{credentials_, expected, {}, {}, {}});
  SSL_set_connect_state(made.get());
  return made;
}

const PeerIdentity* peer_of(const SSL& ssl) noexcept {
  const Judged* const judged = judged_of(ssl);
  return judged != nullptr && judged->peer && SSL_is_init_finished(&ssl) ? &*judged->peer : nullptr;
}

Status examine_again(const SSL& ssl, const Credentials& credentials) {
  const auto peer = credentials.examine(judged_of(ssl)->chain);
  return peer ? Status() : fail(peer.error());
}

Error why_failed(const SSL& ssl) {
  const unsigned long code = ERR_peek_error();
  const char* const reason = ERR_reason_error_string(code);
  ERR_clear_error();
  const Judged* const judged = judged_of(ssl);
  if (judged != nullptr && judged->refusal) return *judged->refusal;
  if (reason == nullptr) return Error::unavailable("the peer ended the connection");
  // OpenSSL numbers what the peer alerted of from here on.
  if (ERR_GET_LIB(code) != ERR_LIB_SSL || ERR_GET_REASON(code) < SSL_AD_REASON_OFFSET) {
    Error refused = unauthenticated(ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE
                                        ? "the peer shows no certificate"
                                        : fmt::format("the handshake failed: {}", reason));
    refused.type = ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? "NO_IDENTITY"
                                                                                   : "MALFORMED";
    return refused;
  }
  Error refused = unauthenticated(
      fmt::format("the peer refused this end: {}",
                  SSL_alert_desc_string_long(ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET)));
  refused.type = "REFUSED";
  return refused;
}

PeerAddress PeerAddress::parse(const std::string& address) {
  const auto slash = address.find('/');
  if (slash == std::string::npos) return {address, {}};
  return {address.substr(0, slash), address.substr(slash + 1)};
}

std::string PeerAddress::text() const {
  return principal.empty() ? place : place + "/" + principal;
}

}  // namespace hector::tls
