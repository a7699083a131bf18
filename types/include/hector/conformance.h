// What: Conformance, whether one type may stand for another, and Finding, one rule that is not
// kept.
// Why: a refusal lists every reason, in words and in a form that programs read; one form for
// all checks.
// Who: the kernel's Binding pipeline, the Type service, the command line.
//
// The checks, one name for each question. The overload is what is compared: compiled types
// (types/check), TypeModels (hector/types.h), or files (types/authoring).
//   check_binding      can a Binding type work at all (C0 … C5)
//   check_role         may an Interface play a Role (signature, R1 … R5, concurrency, qos)
//   check_replacement  may an Interface or message stand where another is expected
//   check_message      may a message be given to a receiver that expects another (signature)
//   check_order        may an order be played where another is expected (R1 … R5)
//   check_contract     do concurrency and QoS keep what is required
//   check_upgrade      may a type follow its earlier version (backward or forward)
//   check_files        all types in these files
//   check_conformance  check_role or check_replacement, by names in files
//   breaking_changes   what users of older type files, or older .proto files, would miss
#pragma once

#include <string>
#include <vector>

namespace hector {

/// One rule that is not kept.
struct Finding {
  /// "signature", "R1" … "R5", "concurrency", "qos"; of Binding types "names", "C0" … "C5",
  /// "limits"; of versions "roles", "removed".
  std::string rule;
  std::string text;                ///< for people
  std::vector<std::string> trace;  ///< a shortest one that shows it; empty: at the start, or none
  std::vector<std::string> roles;  ///< of a Binding type: those concerned
};

struct Conformance {
  std::vector<Finding> findings;
  /// False: the Interface says no order, signatures alone were compared.
  bool order_compared = true;
  [[nodiscard]] bool conforms() const { return findings.empty(); }
};

}  // namespace hector
