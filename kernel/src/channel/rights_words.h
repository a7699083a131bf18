// What: the words in which the kernel asks Policy for rights: entities of Cedar, and contexts.
// Why: policies are written against them; they stand once (docs/guides/rights.md is the list).
// Who: what asks rights at Bindings and for calls; the command line's `auth` writes the same.
#pragma once

#include <string>
#include <string_view>

#include "hector/message.h"
#include "hector/service/policy.h"

namespace hector::rights {

inline constexpr std::string_view kAnonymous = "anonymous";
inline constexpr std::string_view kPlay = "Action::\"play\"";
inline constexpr std::string_view kCall = "Action::\"call\"";

/// Type::"id", as Cedar reads it.
std::string entity(std::string_view type, std::string_view id);
/// Principal::"capsule:north/ana"; Principal::"anonymous" for an empty one.
std::string principal(std::string_view principal);
/// Operation::"diary.Calendar/1.hold".
std::string operation(std::string_view interface_id, std::string_view operation);
/// Role::"diary.Meeting/1.attendee".
std::string role(std::string_view binding_type, std::string_view role);

/// What a policy's `when` may look at. What is empty is not there.
struct Context {
  std::string_view capsule, object;  ///< the Object that is called, or plays: Object::"north/ana"
  bool is_same_capsule = false;      ///< the principal is this capsule, or one of its Objects
  bool is_same_object = false;       ///< the principal is this Object
  bool is_authenticated = false;     ///< else the principal is what its peer says
  std::string_view binding_type = {}, role = {};  ///< the role that the principal plays
  std::string_view initiator = {};                ///< the principal that makes the Binding
  std::string_view protocol = {};
  Security security = Security::kNone;
  std::string_view claimed = {};  ///< who the anonymous say they are
};
/// With is_same_capsule and is_same_object as they are for this principal.
Context about(std::string_view principal, std::string_view capsule, std::string_view object);
std::string json(const Context& context);

/// Names of principals are printable ASCII of up to 256 octets; what else a peer claims
/// is nothing.
bool is_principal(std::string_view text);

}  // namespace hector::rights
