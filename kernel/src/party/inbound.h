// What: where calls from other capsules and from foreign clients arrive.
// Why: one place finds the Offer or the session that a header names, and enters its Object.
// Who: protocols, through hector/protocol.h.
#pragma once

#include "hector/protocol.h"
#include "party/core.h"

namespace hector {

class KernelInbound final : public Inbound {
 public:
  explicit KernelInbound(Core& core) : core_(core) {}
  Status resolve(Call& call) override;
  void accept(Call& call) noexcept override;
  std::vector<ServiceDescription> services() const override;
  Result<Bytes> request_from_json(const Call& call, std::string_view json) const override;
  Result<std::string> reply_to_json(const Call& call, const Bytes& reply) const override;

 private:
  Core& core_;
};

}  // namespace hector
