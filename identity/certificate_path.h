// What: the judgement of one path, from a leaf to an authority.
// Why: the rules of a path do not know how it was found.
// Who: judge_chain(); signatures were verified before.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "identity/certificate.h"

namespace hector::identity {

using Path = std::vector<CertificatePtr>;  ///< the leaf first, an authority last

/// How far a path came; a later rule is a larger number.
enum class Stage : std::uint8_t { kShape, kAlgorithms, kAuthorities, kBegin, kEnd, kRevoked };

struct PathRefusal {
  Stage stage;
  Refusal refusal;
};

/// What a path is judged by, beside the rules.
struct PathTerms {
  Instant at;
  const std::set<std::string, std::less<>>& revoked;  ///< "KEY-ID SERIAL"
};

/// Nothing where the path is good.
std::optional<PathRefusal> judge_path(const Path& path, const PathTerms& terms);

}  // namespace hector::identity
