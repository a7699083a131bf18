// What: Comparisons, what fits what: candidates and their predecessors, types and Roles.
// Why: a client asks before it defines, binds or trades.
// Who: the Type servant's check, conforms, match and closure.
#pragma once

#include "definitions.h"

namespace hector::type_service {

/// Any thread that may block.
class Comparisons {
 public:
  Comparisons(Models& models, Definitions& definitions)
      : models_(models), definitions_(definitions) {}
  /// Whether the candidate may follow what is there; FILE, PACKAGE, WIRE and WIRE_JSON compare
  /// .proto texts by Buf's rules.
  Result<v1::TypeVerdict> check(const v1::TypeCandidate& request);
  Result<v1::TypeVerdict> conforms(const v1::TypeConforms& asked);
  /// Which of these Interfaces may play the Role.
  Result<v1::TypeMatched> match(const v1::TypeMatch& asked);
  /// The descriptors of everything that a type stands on.
  Result<v1::TypeClosure> closure(const v1::TypeName& asked);

 private:
  /// A Role's own, or the type's.
  struct Required {
    TypeModelPtr type, interface;
    std::string role;
  };
  Result<Required> required_by(const std::string& text);
  Result<v1::TypeVerdict> check_texts(const v1::TypeCandidate& request,
                                      const std::string& category);
  static Result<v1::TypeVerdict> verdict(const TypeModel& sub, const Required& required,
                                         ConformanceLevel level);
  Models& models_;
  Definitions& definitions_;
};

}  // namespace hector::type_service
