// What: Description, all that is known of one type, Binding or Object, as JSON.
// Why: `hector describe KIND NAME` shows what the list of its kind has no column for.
// Who: the management Object.
#pragma once

#include "capsule/kernel_impl.h"

namespace hector {

/// Any thread; an Object of another capsule is asked, which may block.
class Description {
 public:
  explicit Description(KernelImpl& kernel) : kernel_(kernel), core_(kernel.core()) {}
  /// The message of the kind in JSON. NOT_FOUND, and the errors of Listing::of().
  Result<std::string> of(const management::v1::DescribeRequest& asked) const;

 private:
  Result<std::string> type(const std::string& name) const;
  Result<std::string> binding(const std::string& name) const;
  Result<std::string> object(const std::string& name) const;
  /// Every entry that matches, the one that counts first, as the items of a ListReply.
  Result<std::string> policy(const std::string& name, const std::string& object) const;
  /// Whether an Interface may play a Role, by the types that Bindings are made with: "INTERFACE
  /// BINDING.ROLE". A ListReply of findings; its kind is "ordered" where the Interface says an
  /// order.
  Result<std::string> conformance(const std::string& name) const;
  Result<std::string> row(const std::string& kind, const std::string& name) const;

  KernelImpl& kernel_;
  Core& core_;
};

}  // namespace hector
