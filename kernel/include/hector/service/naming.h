// What: NamingService, the standard interface of Naming (X/Open XFN) inside a capsule.
// Why: Objects and the kernel name and find references; whether the service is here or joined does not show.
// Who: Objects through their Capsule handle, the Binding pipeline, management.
#pragma once

#include <string>
#include <vector>

#include "hector/reference.h"

namespace hector {

struct NamedReference {
  std::string name;
  Reference reference;
};

/// May block up to the default deadline where the service is joined. Any thread. UNAVAILABLE where it cannot be reached.
class NamingService {
 public:
  virtual ~NamingService() = default;
  /// XFN fn_ctx_bind. ALREADY_EXISTS (NAME_IN_USE) if exclusive and taken.
  virtual Status bind(const std::string& name, const Reference& reference, bool exclusive) = 0;
  /// XFN fn_ctx_lookup. NOT_FOUND (NAME_NOT_FOUND).
  virtual Result<Reference> lookup(const std::string& name) = 0;
  /// XFN fn_ctx_unbind: success if absent.
  virtual Status unbind(const std::string& name) = 0;
  /// XFN fn_ctx_list_bindings, every name that starts with the prefix, in order.
  virtual Result<std::vector<NamedReference>> list(const std::string& prefix) = 0;
};

}  // namespace hector
