// What: what DNS servers answer, as bindings (RFC 1035, 6763).
// Why: octets from outside are read in one place, which is fuzzed.
// Who: DNS as a naming system; the fuzz targets.
#pragma once

#include <string>
#include <vector>

#include "directory.h"

namespace hector::naming {

/// Adds what a reply to a question of that type (A, AAAA, SRV, TXT) says; nothing where it cannot
/// be read.
void read_dns_answer(int type, const std::vector<unsigned char>& reply, v1::NamingBinding& binding);
/// Of a reply to a PTR question: what it points to, as DNS writes names.
std::vector<std::string> read_dns_pointers(const std::vector<unsigned char>& reply);
/// "Front\\032Desk\\.1" as DNS writes a label: "Front Desk.1".
std::string unescaped_label(std::string_view label);

}  // namespace hector::naming
