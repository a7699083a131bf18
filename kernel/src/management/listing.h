// What: Listing, the rows of `hector get KIND`: what a capsule has of each kind.
// Why: each kind is a function of its own; the reply has one shape for all.
// Who: the management Object.
#pragma once

#include "capsule/kernel_impl.h"

namespace hector {

/// Any thread. `capsules` asks Naming and may block; the other kinds do not.
class Listing {
 public:
  explicit Listing(KernelImpl& kernel) : kernel_(kernel), core_(kernel.core()) {}
  /// "objects" or "object"; INVALID_ARGUMENT names the kinds there are.
  Result<management::v1::ListReply> of(const std::string& kind) const;

 private:
  using Reply = management::v1::ListReply;
  Status capsules(Reply& reply) const;
  Status protocols(Reply& reply) const;
  Status languages(Reply& reply) const;
  Status services(Reply& reply) const;
  Status templates(Reply& reply) const;
  Status objects(Reply& reply) const;
  Status offers(Reply& reply) const;
  Status bindings(Reply& reply) const;
  Status channels(Reply& reply) const;
  Status types(Reply& reply) const;
  Status policies(Reply& reply) const;

  struct Kind {
    const char* name;
    Status (Listing::*list)(Reply&) const;
  };
  static const Kind kKinds[];

  KernelImpl& kernel_;
  Core& core_;
};

}  // namespace hector
