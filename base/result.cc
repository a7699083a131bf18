#include "hector/result.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

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

/// A service may begin its messages with the code itself, or with one of its specification, and so
/// may whom it asked: each code at the beginning is said once.
std::string with_code(Code code, const std::string& message) {
  std::string codes = fmt::format("{}: ", code_name(code)), last = codes;
  std::string_view rest = message;
  for (auto end = rest.find(": "); end != std::string_view::npos; end = rest.find(": ")) {
    const std::string_view word = rest.substr(0, end);
    const bool is_code = word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == word.npos;
    if (word.empty() || !is_code) break;
    if (rest.substr(0, end + 2) != last) codes += last = rest.substr(0, end + 2);
    rest.remove_prefix(end + 2);
  }
  return codes.append(rest);
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
