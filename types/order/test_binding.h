// What: Binding types for tests, in one line each.
// Why: the order room knows no YAML; its tests need roles, interactions and a protocol.
// Who: tests of types/order and types/check.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "hector/type/v1/type.pb.h"
#include "types/order/expression.h"

namespace hector::types {

/// test_binding({"m", "w*"}, {"call multicast m w", "bid announce w m"}, "call ; bid[w]"). A role
/// with '*' has any number of members, one with '?' is optional. An empty protocol is none.
inline hector::type::v1::Binding test_binding(const std::vector<std::string>& roles,
                                              const std::vector<std::string>& interactions,
                                              const std::string& protocol) {
  using namespace hector::type::v1;
  Binding binding;
  binding.set_name("t.B");
  binding.set_major(1);
  for (std::string name : roles) {
    Role& role = *binding.add_roles();
    role.set_members_min(1);
    role.set_members_max(name.ends_with('*') ? -1 : 1);
    role.set_optional(name.ends_with('?'));
    if (name.ends_with('*') || name.ends_with('?')) name.pop_back();
    role.set_name(name);
    role.set_interface_id("t." + name + "/1");
  }
  for (const std::string& line : interactions) {
    std::istringstream words(line);
    std::string name, kind, from, to;
    words >> name >> kind >> from >> to;
    Interaction& interaction = *binding.add_interactions();
    interaction.set_name(name);
    interaction.set_operation(name);
    interaction.set_from(from);
    interaction.set_to(to);
    interaction.set_kind(kind == "rpc"        ? KIND_RPC
                         : kind == "announce" ? KIND_ANNOUNCE
                         : kind == "stream"   ? KIND_STREAM
                                              : KIND_MULTICAST);
  }
  if (protocol.empty()) return binding;
  auto parsed = parse_expression(protocol);
  EXPECT_TRUE(parsed) << parsed.error().text();
  *binding.mutable_protocol() = *parsed;
  return binding;
}

/// A manager calls for bids of any number of workers, each bids once, one gets the award.
inline hector::type::v1::Binding call_for_bids() {
  return test_binding({"m", "w*"}, {"call multicast m w", "bid announce w m", "award rpc m w"},
                      "call ; bid[w] ; award");
}

}  // namespace hector::types
