// What: PolicyService, the standard interface of Policy (X resources in a chain of contexts, and
// rights) inside a capsule.
// Why: what the kernel and Objects choose by is said once, per host, network or enterprise, and
// every value can be explained.
// Who: the Binding pipeline, Objects through their Capsule handle, management.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hector/result.h"

namespace hector {

struct PolicyValue {
  std::string value;
  std::string context;  ///< "enterprise", "capsule:north", …
  std::string spec;     ///< the entry that decided
  bool is_final = false;
  std::int64_t revision = 0;
};

/// The classes that the kernel asks with for what a Binding names: "diary.Meeting.room.protocols"
/// is "Binding.Binding.Role.Protocols". Empty for a name that no Binding asks.
inline std::string policy_classes(const std::string& name) {
  const auto dots = static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
  std::string resource = name.substr(name.rfind('.') + 1);
  if (dots < 2 || resource.empty()) return {};
  std::string classes = "Binding";
  for (std::size_t i = 2; i < dots; ++i) classes += ".Binding";
  resource[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(resource[0])));
  return classes + ".Role." + resource;
}

/// Whether someone may do something, in Cedar's words (docs/guides/rights.md has the kernel's).
struct RightsQuestion {
  std::string principal;     ///< Principal::"capsule:north/ana"
  std::string action;        ///< Action::"call"
  std::string resource;      ///< Operation::"diary.Calendar/1.hold"
  std::string context = {};  ///< a JSON object; empty: none
};
struct RightsDecision {
  bool is_allowed = false;
  /// Those that decided; none where nothing permits it.
  std::vector<std::string> policies = {};
  std::vector<std::string> errors = {};  ///< what could not be evaluated: POLICY:LINE:COLUMN: WHY
  std::int64_t revision = 0;
};

/// As NamingService.
class PolicyService {
 public:
  virtual ~PolicyService() = default;
  /// `name` and `class_name` have equally many components; `object` chooses the chain, empty: the
  /// capsule's. NOT_FOUND (NO_MATCH), INVALID_ARGUMENT (BAD_KEY).
  virtual Result<PolicyValue> get(const std::string& name, const std::string& class_name,
                                  const std::string& object) = 0;
  /// INVALID_ARGUMENT (BAD_SPEC) with the column.
  virtual Status put(const std::string& context, const std::string& spec, const std::string& value,
                     bool is_final) = 0;
  /// Denied unless a policy permits it and none forbids it. Whatever else it returns is no
  /// permission. Blocks.
  virtual Result<RightsDecision> authorise(const RightsQuestion& question) {
    static_cast<void>(question);
    return fail(Error::unimplemented("this Policy decides no rights"));
  }
  /// The same without waiting: `decided` runs once, on any thread, possibly before this returns.
  virtual void authorise(const RightsQuestion& question,
                         std::function<void(Result<RightsDecision>)> decided) {
    decided(authorise(question));
  }
  /// When rights last changed: another number than before means that decisions may be others. As
  /// the one above.
  virtual void rights_revision(std::function<void(Result<std::int64_t>)> told) {
    told(fail(Error::unimplemented("this Policy decides no rights")));
  }
};

}  // namespace hector
