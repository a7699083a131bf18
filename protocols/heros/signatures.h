// What: what of methods' signatures an Interface does not say: defaults, and which parameters are
// given by name only. As JSON, a HERO's metadata `signatures`.
// Why: whoever asks for a remote method's signature gets the one that was written.
// Who: AdoptedHeroes writes it, ShownHero reads it; hector.heros does both.
#pragma once

#include <string>
#include <vector>

#include "objects/description.h"

namespace hector::heros {

inline constexpr const char* kSignatures = "signatures";
/// {"add": {"a": {}, "b": {"default": 5}, "scale": {"kind": 3, "default": 2.0}}}; `optional`
/// instead of a default that JSON does not have. Empty: no method has parameters.
std::string write_signatures(const objects::Description& description);
/// What the text says of parameters that are there; nothing where it is none of ours.
void read_signatures(const std::string& text, std::vector<objects::ShownMember>& members);

}  // namespace hector::heros
