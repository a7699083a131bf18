// What: Description, what a foreign object can do (methods, attributes, events), and its Interface;
// and the inverse, an Interface as a foreign object's members.
// Why: a foreign object becomes an Object with a type that can be read, stored and checked; an
// Object is shown in its world with the members that its Interface offers.
// Who: heros, zeromq; the embedded capsule.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "hector/check.h"
#include "hector/interface.h"
#include "hector/result.h"
#include "objects/parameter.h"

namespace hector::objects {

struct Member {
  enum class Kind : std::uint8_t { kMethod, kAttribute, kEvent };
  Kind kind = Kind::kMethod;
  std::string name;
  std::vector<Parameter> parameters;
  std::string type;  ///< returned, or an attribute's; as Parameter::type
  bool is_readable = true, is_writable = true;
};
struct Description {
  std::string class_name;
  std::vector<Member> members;
};

/// What an operation of the Interface does to the foreign object.
enum class Use : std::uint8_t { kCall, kGet, kSet, kEvent };
struct Route {
  std::string operation;
  Use use = Use::kCall;
  std::size_t member = 0;
};
/// An Interface as text: a method is an rpc with its parameters as fields, in their order; an
/// attribute is get_NAME and set_NAME; an event is a flow out. Annotations are hints, as in Python:
/// a value of another type goes into the last field, a hector.value.v1.Untyped. Values of types
/// that Protobuf does not have are hector.value.v1.Value.
struct WrittenInterface {
  std::string id;  ///< "hero.Camera/1"
  std::string yaml;
  std::string proto_path, proto;
  std::vector<Route> routes;
  std::string model;  ///< a serialised hector.type.v1.Interface
  /// Of one of its operations.
  [[nodiscard]] const Route& route_of(const std::string& operation) const {
    const auto found = std::find_if(routes.begin(), routes.end(),
                                    [&](const auto& each) { return each.operation == operation; });
    HECTOR_CHECK(found != routes.end(), "an operation of another Interface");
    return *found;
  }
};
/// `name`: "hero.Camera". Members whose names are no identifiers are left out, and `left_out` names
/// them. INVALID_ARGUMENT.
Result<WrittenInterface> write_interface(const Description& description, const std::string& name,
                                         std::uint32_t major,
                                         std::vector<std::string>* left_out = nullptr);
/// A serialised hector.type.v1.Interface of a type file's text. INVALID_ARGUMENT.
Result<std::string> read_interface_model(const std::string& yaml, const std::string& name,
                                         const std::string& proto_path, const std::string& proto);
/// "hector/value.proto"
extern const char* const kValueProtoPath;
extern const char* const kValueProto;

/// The inverse: a member as the world sees it, with the operations that serve it.
struct ShownMember {
  Member member;
  const Operation* call = nullptr;  ///< also an event's
  const Operation* get = nullptr;
  const Operation* set = nullptr;
};
std::vector<ShownMember> shown_members(const Interface& interface);

/// The name as an identifier of Protobuf and Hector; nothing if it has no letter.
std::optional<std::string> identifier_of(std::string_view name);

}  // namespace hector::objects
