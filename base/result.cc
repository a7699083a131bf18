#include "hector/result.h"

#include <fmt/format.h>

#include <array>

namespace hector {

namespace {

constexpr std::array<std::string_view, 17> kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

}  // namespace

std::string_view code_name(Code code) noexcept {
  const auto number = static_cast<std::size_t>(code);
  return number < kCodeNames.size() ? kCodeNames[number] : kCodeNames[2];
}

Code code_from_number(std::uint32_t number) noexcept {
  return number < kCodeNames.size() ? static_cast<Code>(number) : Code::kUnknown;
}

namespace {

/// A service may begin its messages with the code itself, as its specification has them: it is
/// said once.
std::string with_code(Code code, const std::string& message) {
  const std::string begin = fmt::format("{}: ", code_name(code));
  return message.starts_with(begin) ? message : begin + message;
}

}  // namespace

std::string Error::text() const {
  std::string out = with_code(code, message);
  for (const auto& reason : reasons) out += "\n  - " + reason;
  for (const Error* each = cause.get(); each != nullptr; each = each->cause.get()) {
    out += "\n  caused by " + with_code(each->code, each->message);
  }
  return out;
}

}  // namespace hector
