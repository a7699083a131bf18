// What: the header of an age file (age-encryption.org/v1): stanzas and their MAC.
// Why: it is read before anything is known to be genuine, so it has one form and anything else is
// refused.
// Who: age files; fuzzed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"
#include "secret.h"

namespace hector::privacy {

/// Longer ones are no header: 10,000 recipients fit in.
inline constexpr std::size_t kHeaderOctetsMax = std::size_t{1} << 20;

struct Stanza {
  std::vector<std::string> arguments;  ///< the first is its type
  std::string body;
};

struct AgeHeader {
  std::vector<Stanza> stanzas;
  std::string mac;
};

/// Octets of the header at the front of `text`, with its last line's end; 0: more are needed.
std::size_t find_header_end(std::string_view text, std::size_t from = 0);

/// `text` is the whole header. MALFORMED.
Result<AgeHeader> read_header(std::string_view text);

/// Up to the three dashes, which is what the MAC is of.
std::string write_stanzas(const std::vector<Stanza>& stanzas);
/// The part of a header's text that its MAC is of.
std::string_view covered_by_mac(std::string_view header);
Wiped<32> header_mac(std::string_view file_key, std::string_view covered);
std::string write_mac_line(const Wiped<32>& mac);

}  // namespace hector::privacy
