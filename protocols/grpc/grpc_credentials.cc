#include "grpc_credentials.h"

#include <fmt/format.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace hector::grpcp {

namespace {

namespace tls_api = grpc::experimental;

/// Judges the server's chain instead of gRPC, which knows no SPIFFE ids.
class Verifier final : public tls_api::ExternalCertificateVerifier {
 public:
  Verifier(const Credentials& credentials, std::string expected,
           std::shared_ptr<LastHandshake> last)
      : credentials_(credentials), expected_(std::move(expected)), last_(std::move(last)) {}

  bool Verify(tls_api::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> /*callback*/, grpc::Status* status) override {
    auto refusal = judge(request->peer_cert_full_chain());
    if (refusal) *status = {grpc::StatusCode::UNAUTHENTICATED, refusal->message};
    const auto chain = request->peer_cert_full_chain();
    last_->set({chain.data(), chain.size()}, std::move(refusal));
    return true;  // at once
  }
  void Cancel(tls_api::TlsCustomVerificationCheckRequest* /*request*/) override {}

 private:
  [[nodiscard]] std::optional<Error> judge(grpc::string_ref chain) const {
    const auto peer = credentials_.examine({chain.data(), chain.size()});
    if (!peer) return peer.error();
    if (expected_.empty() || peer->principal == expected_) return std::nullopt;
    return Error{Code::kUnauthenticated, fmt::format("'{}' answers where '{}' is to be reached",
                                                     peer->principal, expected_)}
        .with_type("WRONG_PEER");
  }

  const Credentials& credentials_;
  const std::string expected_;
  const std::shared_ptr<LastHandshake> last_;
};

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const Credentials& credentials,
                                                              const OwnIdentity& own,
                                                              const std::string& expected,
                                                              std::shared_ptr<LastHandshake> last) {
  tls_api::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<tls_api::StaticDataCertificateProvider>(
      std::vector{tls_api::IdentityKeyCertPair{own.key, own.chain}}));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);  // the verifier does
  options.set_check_call_host(false);      // an id is no host
  options.set_certificate_verifier(tls_api::ExternalCertificateVerifier::Create<Verifier>(
      credentials, expected, std::move(last)));
  return tls_api::TlsCredentials(options);
}

}  // namespace hector::grpcp
