// What: Result<T>, Error and the closed list of error codes.
// Why: expected failures are values; no exception crosses a folder or a plugin boundary.
// Who: everything.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
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

/// A failure: what was tried, on what, why not, and what to do instead.
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
  /// The failure that led to this one, null if it is the first. Shared by the copies of an Error;
  /// it stays in this process: other capsules see code, message, type, detail and reasons.
  std::shared_ptr<const Error> cause;

  // One factory a code: Error::not_found(fmt::format("no Object is named '{}'", name)).
  static Error cancelled(std::string m) { return {Code::kCancelled, std::move(m)}; }
  static Error invalid_argument(std::string m) { return {Code::kInvalidArgument, std::move(m)}; }
  static Error deadline_exceeded(std::string m) { return {Code::kDeadlineExceeded, std::move(m)}; }
  static Error not_found(std::string m) { return {Code::kNotFound, std::move(m)}; }
  static Error already_exists(std::string m) { return {Code::kAlreadyExists, std::move(m)}; }
  static Error permission_denied(std::string m) { return {Code::kPermissionDenied, std::move(m)}; }
  static Error resource_exhausted(std::string m) {
    return {Code::kResourceExhausted, std::move(m)};
  }
  static Error failed_precondition(std::string m) {
    return {Code::kFailedPrecondition, std::move(m)};
  }
  static Error aborted(std::string m) { return {Code::kAborted, std::move(m)}; }
  static Error out_of_range(std::string m) { return {Code::kOutOfRange, std::move(m)}; }
  static Error unimplemented(std::string m) { return {Code::kUnimplemented, std::move(m)}; }
  static Error internal(std::string m) { return {Code::kInternal, std::move(m)}; }
  static Error unavailable(std::string m) { return {Code::kUnavailable, std::move(m)}; }
  static Error data_loss(std::string m) { return {Code::kDataLoss, std::move(m)}; }

  /// Each returns the Error with one field set, to be chained on a factory.
  Error with_type(std::string_view name) && {
    type = name;
    return std::move(*this);
  }
  Error with_detail(std::string octets) && {
    detail = std::move(octets);
    return std::move(*this);
  }
  Error with_reasons(std::vector<std::string> all) && {
    reasons = std::move(all);
    return std::move(*this);
  }
  Error caused_by(Error first) && {
    cause = std::make_shared<const Error>(std::move(first));
    return std::move(*this);
  }

  /// "NOT_FOUND: message", then one indented line a reason and one a cause.
  [[nodiscard]] std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// `return fail(Code::kNotFound, "…");` in a function that returns any Result.
[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

namespace detail {

template <class R>
auto value_of(R&& result) {
  if constexpr (!std::is_void_v<typename std::remove_cvref_t<R>::value_type>) {
    return *std::forward<R>(result);
  }
}

}  // namespace detail

}  // namespace hector

/// The value of a Result; where it is an error, the enclosing function returns that error:
///   auto reference = HECTOR_TRY(naming.resolve(name));
/// A Status has no value: HECTOR_TRY(store.write(batch)); The macro stands alone, or is the whole
/// right side of an initialiser, an assignment or a return; never an argument (ADR 0015).
#define HECTOR_TRY(...)                                                                            \
  ({                                                                                               \
    auto&& hector_try_result = (__VA_ARGS__);                                                      \
    if (!hector_try_result) [[unlikely]]                                                           \
      return ::hector::fail(std::forward<decltype(hector_try_result)>(hector_try_result).error()); \
    ::hector::detail::value_of(std::forward<decltype(hector_try_result)>(hector_try_result));      \
  })
