// What: PartySpec, one party's part in a Binding; Replacement, another party at one place of it.
// Why: what the kernel plans with is its own; the messages that bring it (PreparePart, Replace)
// stay on the wire.
// Who: the coordinator makes them; PartySession and its PlanBuilder read them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hector/id.h"
#include "hector/reference.h"
#include "hector/type/v1/type.pb.h"

namespace hector {

struct RoleSpec {
  std::string name;
  std::vector<Reference> members;     ///< by number; none for the party's own role
  std::uint32_t numbers = 0;          ///< how many numbers members were given
  std::vector<std::uint32_t> absent;  ///< those whose member left
};

/// One channel that the party opens: to one member of another role.
struct ChannelSpec {
  std::string role;
  std::uint32_t member = 0;
  Reference party;
  Profile profile;
  std::string why;              ///< why policy chose the profile
  SessionId session{};          ///< the receiver's
  std::uint32_t interface = 0;  ///< the receiver's, in PartySpec::interfaces
};

struct PartySpec {
  std::uint64_t binding = 0;
  hector::type::v1::Binding type;  ///< taken out by the party that is made of it
  std::string role;
  std::uint32_t member = 0;
  std::uint64_t offer = 0;
  SessionId session{};
  std::vector<RoleSpec> roles;  ///< all of the type's, in its order
  std::vector<ChannelSpec> channels;
  std::vector<hector::type::v1::Interface>
      interfaces;       ///< of those it opens channels to, each once
  Reference initiator;  ///< an Object of the capsule that made the Binding: it supervises it
  /// It takes a place in a Binding that runs: a position follows, and its predecessor's messages.
  bool is_successor = false;
};

struct Replacement {
  std::string role;
  std::uint32_t member = 0;
  Reference party;
  hector::type::v1::Interface interface;
  SessionId session{};
  struct Route {
    std::string role;  ///< the sender's
    std::uint32_t member = 0;
    Profile profile;
    std::string why;
  };
  std::vector<Route> routes;  ///< by sender
};

}  // namespace hector
