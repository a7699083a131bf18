// What: how names and octets of types are written in C++.
// Why: every generator of C++ writes them in one way.
// Who: generation.cc, servant_generation.cc.
#pragma once

#include <set>
#include <string>

#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// "diary.Range": "Range".
std::string last_part(const std::string& name);
/// "diary.Range": "::diary::Range".
std::string cpp_name(const std::string& message);
/// "diary.RoomRequest" as a parameter's name: "room_request"; a word of C++, and what other
/// parameters are called, gets a '_'.
std::string parameter_name(const std::string& message);
/// "move_channel": "MoveChannel".
std::string pascal(const std::string& name);

struct Named {
  std::string package, name;
};
/// "diary.Calendar/1": package "diary", name "Calendar".
Named named(const std::string& id);
std::string open_namespace(const std::string& package);
std::string close_namespace(const std::string& package);
/// A string literal over several lines, each octet escaped.
std::string octets_literal(const std::string& octets);

/// Adds the .pb.h of each file that the Interface's messages stand in, and the messages' names.
void add_message_includes(const hector::type::v1::Interface& interface,
                          std::set<std::string>& includes, std::set<std::string>& messages);

}  // namespace hector::types
