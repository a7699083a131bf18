// What: the lines of a realm's files `issued` and `revoked`.
// Why: what was issued is known for as long as it can be revoked.
// Who: realms.
#pragma once

#include <string>
#include <vector>

#include "hector/realm.h"

namespace hector::identity {

/// "SERIAL NOT-AFTER NAME", with its line end.
std::string record_of(const Issued& issued);
/// Without files and revocations. Lines that are none are passed over.
std::vector<Issued> read_records(const std::string& text, const std::string& trust_domain);
/// "KEY-ID SERIAL" of each line.
std::vector<std::string> read_revoked(const std::string& text);

}  // namespace hector::identity
