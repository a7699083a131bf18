// What: Result<T>, Error and the closed list of error codes.
// Why: expected failures are values; no exception crosses a folder or a plugin boundary.
// Who: everything.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace hector {

/// gRPC's canonical codes, with their published numbers.
enum class Code : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// The code's canonical upper-case name, e.g. "NOT_FOUND"; "UNKNOWN" for a number outside the list.
std::string_view code_name(Code code) noexcept;

/// Numbers outside the list become kUnknown.
Code code_from_number(std::uint32_t number) noexcept;

/// Error::type of a refusal because types do not fit each other (the CLI's exit code 7).
inline constexpr std::string_view kIncompatible = "hector.Incompatible";

/// Error::type of a refusal by a capsule that has not touched the request: no such session or
/// Offer. It may be sent again, elsewhere.
inline constexpr std::string_view kNotExecuted = "hector.NotExecuted";
/// Error::type where nobody can say whether the operation was executed: its party died.
inline constexpr std::string_view kOutcomeUnknown = "hector.OutcomeUnknown";

/// Error::type of a multicast that was given calls for other members than there are now: nothing
/// was sent, it may be started again.
inline constexpr std::string_view kMembersChanged = "hector.MembersChanged";

/// A failure: what was tried, on what, and what to do instead.
struct Error {
  Code code = Code::kUnknown;
  std::string message;
  /// A declared error's message type ("diary.Busy"), a language's exception type ("ValueError"), or
  /// empty.
  std::string type;
  /// The declared error's serialised message, or a serialised google.rpc.Status; empty if none.
  std::string detail;
  /// Every reason of a refusal, one sentence each; empty if the message says it all.
  std::vector<std::string> reasons;

  /// "NOT_FOUND: message", then one indented line a reason.
  [[nodiscard]] std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// `return fail(Code::kNotFound, "…");` in a function that returns any Result.
[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), {}, {}, {}});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace hector
