// What: how long the parts of a call's error may be.
// Why: see the header.
// Who: Call.
#include "call/error_limits.h"

#include <fmt/format.h>

#include "hector/check.h"

namespace hector {

namespace {

/// Beside the numbers that it names, so that mark and text are within the limit together.
constexpr std::size_t kMarkOctetsMax = 128;
static_assert(2 * kMarkOctetsMax < kErrorTextOctetsMax, "a mark leaves room for the text");

/// Not inside a character of UTF-8.
void cut_at(std::string& text, std::size_t size) {
  if (text.size() <= size) return;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
}

void cut_and_mark(std::string& text) {
  if (text.size() <= kErrorTextOctetsMax) return;
  const std::size_t whole = text.size();
  cut_at(text, kErrorTextOctetsMax - kMarkOctetsMax);
  text += fmt::format(" … [cut: {} of {} octets]", text.size(), whole);
}

void keep_reasons_within_limits(std::vector<std::string>& reasons) {
  std::size_t octets = 0;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    cut_and_mark(reasons[i]);
    octets += reasons[i].size();
    const bool is_last_place = i + 1 == kErrorReasonsMax && reasons.size() > kErrorReasonsMax;
    if (octets <= kErrorReasonsOctetsMax && !is_last_place) continue;
    const std::size_t left_out = reasons.size() - i;
    reasons.resize(i);
    reasons.push_back(fmt::format("… [cut: {} more reasons]", left_out));
    return;
  }
}

}  // namespace

void keep_within_limits(Error& error) {
  if (error.detail.size() > kErrorDetailOctetsMax) {
    cut_at(error.message, kErrorTextOctetsMax - kMarkOctetsMax);
    error.message += fmt::format(" … [its detail of {} octets is left out: {} are carried]",
                                 error.detail.size(), kErrorDetailOctetsMax);
    error.detail.clear();
  }
  cut_and_mark(error.message);
  cut_and_mark(error.type);
  keep_reasons_within_limits(error.reasons);
  HECTOR_CHECK(
      error.message.size() <= kErrorTextOctetsMax && error.reasons.size() <= kErrorReasonsMax,
      "an error is larger than the wire carries");
}

}  // namespace hector
