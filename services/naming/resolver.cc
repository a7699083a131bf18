// What: Resolver, where a name leads for whoever asks.
// Why: a name may begin in the initial context, whose aliases depend on the caller.
// Who: the Naming servant and its searches.
#include "resolver.h"

#include <fmt/format.h>

#include "hector/check.h"
#include "state/answer.h"

namespace hector::naming {

v1::NamingWho Resolver::who(const v1::NamingWho& asked, const Call& call) const {
  v1::NamingWho who = asked;
  if (who.principal().empty() && call.peer != nullptr) who.set_principal(call.peer->principal);
  if (who.capsule().empty()) who.set_capsule(capsule_);
  if (who.host().empty()) who.set_host(host_);
  return who;
}

InitialNames Resolver::initial_of(const v1::NamingWho& asked, const Call& call) const {
  return initial_names(who(asked, call));
}

Result<Place> Resolver::place_of(const std::string& text, const v1::NamingWho& who,
                                 const Call& call, LastLink last) const {
  const auto name = HECTOR_TRY(parse_name(text));
  for (const auto& each : name) {
    if (each.size() > Changes::kAtomOctetsMax)
      return state::refuse("ILLEGAL_NAME", fmt::format("a component has {} octets; one may have {}",
                                                       each.size(), Changes::kAtomOctetsMax));
  }
  // Only names that begin like one of the initial context pay for it.
  const auto& first = name.front();
  const bool may_be_initial = first.starts_with('_') || first == "thisuser";
  return directory_.resolve(name, may_be_initial ? initial_of(who, call) : plain_, last);
}

AskedNames Resolver::asked_names(const v1::NamingWho& who, LastLink last) const {
  AskedNames names{initial_names(who), {}};
  names.resolve = [this, initial = names.initial, last](const std::string& name) {
    const auto components = parse_name(name);
    HECTOR_CHECK(components.has_value(), "a change asks for a name that was not parsed before");
    return directory_.resolve(*components, initial, last);
  };
  return names;
}

Place through_junction(Place place) {
  if (place.kind != Place::Kind::kAtom || place.entry == nullptr ||
      place.entry->binding->next().empty())
    return place;
  place.kind = Place::Kind::kNext;
  place.next = place.entry->binding->next();
  place.rest = {""};
  return place;
}

}  // namespace hector::naming
