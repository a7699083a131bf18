// What: ChannelCredentials: what gRPC's own TLS needs of the capsule's credentials, and why it has
// refused a peer.
// Why: gRPC connects by itself, again and again; each handshake has to prove and judge the same as
// everywhere else here.
// Who: grpc_client.cc.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "hector/credentials.h"

namespace hector::grpcp {

/// What a channel's last handshake came to on this side. Any thread. Owners: the channel, and
/// gRPC's verifiers.
class LastHandshake {
 public:
  void set(std::string chain, std::optional<Error> refusal) {
    const std::lock_guard lock(mutex_);
    chain_ = std::move(chain);
    refusal_ = std::move(refusal);
  }
  /// Why the peer was refused. Nothing: it was not, or there was none.
  [[nodiscard]] std::optional<Error> refusal() const {
    const std::lock_guard lock(mutex_);
    return refusal_;
  }
  /// Why a peer that was accepted would be refused now.
  [[nodiscard]] std::optional<Error> examine_again(const Credentials& credentials) const {
    const std::lock_guard lock(mutex_);
    if (chain_.empty() || refusal_) return std::nullopt;
    const auto peer = credentials.examine(chain_);
    return peer ? std::nullopt : std::optional(peer.error());
  }

 private:
  mutable std::mutex mutex_;
  std::string chain_;  ///< PEM
  std::optional<Error> refusal_;
};

/// `expected` is the principal that must answer; empty: anybody
/// who is trusted.
std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const Credentials& credentials,
                                                              const OwnIdentity& own,
                                                              const std::string& expected,
                                                              std::shared_ptr<LastHandshake> last);

}  // namespace hector::grpcp
