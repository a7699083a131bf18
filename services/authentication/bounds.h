// What: how much Authentication keeps and takes.
// Why: each table has an end, and each is stated in docs/limits.md.
// Who: the files beside it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hector::authentication {

inline constexpr std::size_t kDomainsMax = 256;
inline constexpr std::size_t kBundleOctetsMax = 200 * 1024;  ///< of one domain: one value
inline constexpr std::size_t kRevocationsMax = 100'000;
inline constexpr std::size_t kEntriesMax = 100'000;
inline constexpr std::size_t kEntryOctetsMax = 16 * 1024;
inline constexpr std::size_t kRealmsMax = 256;
inline constexpr std::size_t kUsedMax = 100'000;  ///< ids of tokens that were accepted once
inline constexpr std::size_t kSigningKeysMax = 256;
inline constexpr std::size_t kTokenIdOctetsMax = 1024;
inline constexpr std::size_t kReasonOctetsMax = 1024;

inline constexpr std::int64_t kLifetimeSecondsMax = 300;  ///< of a token that is made here
inline constexpr std::size_t kDelegationsMax = 4;         ///< of one chain
inline constexpr std::size_t kRightsMax = 64;
inline constexpr std::size_t kRightOctetsMax = 200;
inline constexpr std::size_t kAudiencesMax = 16;
inline constexpr std::size_t kAudienceOctetsMax = 2048;
inline constexpr std::size_t kOriginsMax = 64;

/// What tokens' times and two clocks may differ by; a token's id is remembered so much longer.
inline constexpr std::int64_t kSkewSeconds = 60;

}  // namespace hector::authentication
