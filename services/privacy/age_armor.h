// What: ArmorReader, an age file as text: strict PEM (RFC 7468, figure 3) with 64 columns.
// Why: a file that goes through mail or a terminal is opened as it is, piece by piece.
// Who: AgeOpener; fuzzed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hector/result.h"

namespace hector::privacy {

inline constexpr std::string_view kArmorBegin = "-----BEGIN AGE ENCRYPTED FILE-----";
inline constexpr std::string_view kArmorEnd = "-----END AGE ENCRYPTED FILE-----";
/// White space before and after the armor.
inline constexpr std::size_t kArmorSpaceMax = 1'024;

/// One at a time. What is read is appended to `out`. MALFORMED: what is read after it is not.
class ArmorReader {
 public:
  Status add(std::string_view text, std::string& out);
  Status finish(std::string& out);

 private:
  enum class Part : std::uint8_t { kBefore, kBody, kAfterShortLine, kAfter };
  Status take_line(std::string_view line, std::string& out);
  Status take_body(std::string_view line, std::string& out);
  Status take_space(std::string_view text);
  Part part_ = Part::kBefore;
  std::string line_;
  std::size_t spaces_ = 0;
};

std::string write_armor(std::string_view octets);

}  // namespace hector::privacy
