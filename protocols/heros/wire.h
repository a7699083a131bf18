// What: HEROS' keys and the values it answers with (proto_version 1.0, as 0.9.1 and 2026.2.2 send
// them).
// Why: shown and adopted HEROs use the same code.
// Who: Realm and its parts; the fuzz target.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "objects/description.h"
#include "objects/messages.h"
#include "values_cbor.h"
#include "zenoh_c/hector_zenoh.h"

namespace hector::heros {

/// Zenoh's name of the payloads' encoding.
inline constexpr const char* kCborEncoding = "application/cbor";
/// cbor2's and HEROS' tags.
inline constexpr std::uint64_t kHeroTag = 9000, kEventTag = 9003, kMethodTag = 9004,
                               kErrorTag = 9005;

inline hz_slice slice(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view view(hz_slice slice) {
  return {reinterpret_cast<const char*>(slice.data), slice.size};
}

/// "@object/REALM/NAME/MEMBER".
std::string key_of(const std::string& realm, const std::string& name, const std::string& member);
/// One chunk of a key: nothing of / * $ # ?, and not beginning with '@'.
bool is_key_chunk(std::string_view name);
/// NAME and MEMBER of a key in the realm; false if it is none. A "/**" behind the member is not
/// part of it.
bool read_key(std::string_view key, std::string_view realm, std::string& name, std::string& member);

/// A HERO's answer to a discovery.
struct Discovered {
  double proto_version = 0.1;
  std::string name, class_name;
  std::vector<std::string> implements, tags;
  std::map<std::string, std::string> metadata;
};
Value write_discovered(const Discovered& hero);
/// INVALID_ARGUMENT: no map, no name.
Result<Discovered> read_discovered(const Value& value);

Value write_capabilities(const std::vector<objects::ShownMember>& members);
/// Private members and what is no capability are left out. INVALID_ARGUMENT: no list.
Result<objects::Description> read_capabilities(const Value& value, const std::string& class_name);

/// As an exception of Python: tag 9005. No traceback.
Value write_error(const Error& error);
/// Of either version; "Timeout" in plain text is zenoh's own.
Error read_error(std::string_view payload);

/// A method's arguments: [[positional], {keyword: value}], or version 0.1's map. INVALID_ARGUMENT
/// (TypeError).
Result<objects::Arguments> read_arguments(Value value);
Value write_arguments(const objects::Arguments& arguments, double proto_version);

}  // namespace hector::heros
