// What: NamingService, the standard interface of Naming (X/Open XFN) inside a capsule.
// Why: Objects and the kernel name and find references; whether the service is here or joined does
// not show.
// Who: Objects through their Capsule handle, the Binding pipeline, management.
#pragma once

#include <string>
#include <vector>

#include "hector/reference.h"
#include "hector/service/leasing.h"

namespace hector {

struct NamedReference {
  std::string name;
  Reference reference;
};

/// May block up to the default deadline where the service is joined. Any thread. UNAVAILABLE where
/// it cannot be reached.
class NamingService : public LeasingService {
 public:
  /// XFN fn_ctx_bind of a composite name, whose missing contexts are made. ALREADY_EXISTS
  /// (NAME_IN_USE) if exclusive and taken. The binding ends with the lease, if one is given.
  virtual Status bind(const std::string& name, const Reference& reference, bool exclusive,
                      std::uint64_t lease = 0) = 0;
  /// XFN fn_ctx_lookup. NOT_FOUND (NAME_NOT_FOUND).
  virtual Result<Reference> lookup(const std::string& name) = 0;
  /// XFN fn_ctx_unbind: success if absent.
  virtual Status unbind(const std::string& name) = 0;
  /// XFN fn_ctx_list_bindings: what a context binds to references, in the order of names; the empty
  /// name is the initial context. A context that is not there has none.
  virtual Result<std::vector<NamedReference>> list(const std::string& context) = 0;
};

}  // namespace hector
