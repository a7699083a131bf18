// What: how names, contexts and events are told: pages of a listing, components, syntax, events.
// Why: these are functions of what the store and the directory have, without calls and locks.
// Who: the Naming servant.
#pragma once

#include "directory.h"
#include "hector/message.h"

namespace hector::naming {

/// The keys of Naming's part of the store begin with it.
inline constexpr const char* kPrefix = "nm/";

v1::NamingComponents components_reply(const Components& components);
/// This directory's own syntax.
v1::NamingSyntax own_syntax();
/// The initial context, with the global root.
v1::NamingBindings initial_bindings(const InitialNames& names);
/// NAMING: the same name, beginning with `leading`; without components if there is none.
Result<v1::NamingComponents> equivalent(const v1::NamingEquivalent& request,
                                        const InitialNames& initial);
/// What is stored goes as it is, behind what it leaves out: Protobuf reads two messages in a row as
/// one.
std::string stored_binding(const Entry& entry, const std::string& name, Revision revision);

/// How a context is listed.
enum class Listed : std::uint8_t { kNames, kBindings };
/// The store's read of a page. Pages of one listing are read at the first one's revision.
/// FAILED_PRECONDITION (INVALID_ENUM_HANDLE).
Result<StoreRead> page_read(const Context& context, const v1::NamingPage& request,
                            Revision revision);
v1::NamingBindings page_reply(const StorePage& page, std::size_t prefix, Listed listed);
/// Octets of a context's keys before the atom.
std::size_t prefix_size(const Context& context);
std::string entries_prefix(const Context& context);
/// `prefix`: octets of the key before the atom.
v1::NamingEvent event_of(Revision at, const StoreEvent& event, std::size_t prefix);

}  // namespace hector::naming
