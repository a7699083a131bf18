// What: how a HERO is named and described as an Object: its name, its Interface's, its properties.
// Why: capsules that adopt the same HERO give it the same names.
// Who: AdoptedHeroes.
#pragma once

#include <map>
#include <string>

#include "hector/reference.h"
#include "wire.h"

namespace hector::heros {

/// What an Object's name may not contain becomes '-'; a leading '_' gets "hero" before it.
std::string object_name_of(const std::string& hero);
/// "hero.CLASS", outside the realm "heros" "hero.REALM.CLASS".
std::string interface_name_of(const std::string& realm, const std::string& class_name);
/// For the Trader, as JSON. Metadata become meta_KEY where they are short and identifiers.
std::map<std::string, std::string> properties_of(const std::string& realm, const Discovered& hero);
/// Of a HERO that another capsule shows. NOT_FOUND where it has none.
Result<Reference> reference_of(const Discovered& hero);
/// Whether a capsule shows it.
bool is_capsules(const Discovered& hero);

}  // namespace hector::heros
