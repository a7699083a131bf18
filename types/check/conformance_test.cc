// What: R1 to R5, one rule at a time, with the trace that shows it.
// Why: a Binding that was accepted must run.
// Who: types_test.
#include "types/check/conformance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/model/reader.h"
#include "types/order/expression.h"

namespace hector::types {
namespace {

/// A Binding of p and q over t.I's operations with this protocol; x is a from p to q, and so on.
struct Case {
  hector::type::v1::Binding binding;
  CompiledPtr required;
  explicit Case(const std::string& role_protocol) {
    const std::string yaml =
        "interface: t.I/1\nmessages: [google/protobuf/struct.proto]\noperations:\n  a: {kind: rpc, "
        "in: google.protobuf.Value, out: google.protobuf.Value}\n"
        "  b: {kind: announce, in: google.protobuf.Value}\ninitiates:\n  c: {kind: announce, in: "
        "google.protobuf.Value}\n---\n"
        "binding: t.B/1\nroles:\n  p: {interface: t.P/1}\n  q: {interface: t.I/1}\ninteractions:\n "
        " a: {kind: rpc, from: p, to: q, operation: a}\n"
        "  b: {kind: announce, from: p, to: q, operation: b}\n  c: {kind: announce, from: q, to: "
        "p, operation: c}\nprotocol: " +
        role_protocol + "\n";
    auto read = read_types(
        yaml, "case",
        "/");  // not registered: whether the Binding type itself can work does not matter here
    EXPECT_TRUE(read) << read.error().text();
    binding = read->bindings.at(0);
    required = *CompiledInterface::make(read->interfaces.at(0));
  }
  /// The first failed rule with its trace, or "ok".
  std::string verdict(const std::string& protocol) {
    auto model = required->typed_model();
    model.set_name("t.Offered");
    *model.mutable_protocol() = *parse_expression(protocol);
    auto offered = CompiledInterface::make(model);
    EXPECT_TRUE(offered) << offered.error().text();
    auto checked = check_role(**offered, binding, 1, *required);
    EXPECT_TRUE(checked);
    if (checked->conforms()) return "ok";
    std::string text = checked->findings.front().rule;
    for (const auto& step : checked->findings.front().trace) text += " " + step;
    return text;
  }
};

TEST(Conformance, R1InputsThatTheRoleAllows) {
  Case role("(a | b)*");
  EXPECT_EQ(role.verdict("(a | b | c)*"), "R2 c");
  EXPECT_EQ(role.verdict("(a | b)*"), "ok");
  EXPECT_EQ(role.verdict("a*"), "R1 b");
  EXPECT_EQ(role.verdict("a ; b ; (a | b)*"), "R1 b");
}
TEST(Conformance, R2OutputsThatTheRoleForbids) {
  EXPECT_EQ(Case("(a ; c?)*").verdict("(a ; c*)*"), "R2 a c c");
}
TEST(Conformance, R3TheEnd) {
  Case role("a ; c?");
  EXPECT_EQ(role.verdict("a ; c?"), "ok");
  EXPECT_EQ(role.verdict("a"), "ok");
  EXPECT_EQ(role.verdict("a ; b ; b"), "R3 a");
}
TEST(Conformance, R4APartnerThatMayStop) { EXPECT_EQ(Case("a*").verdict("a ; a*"), "R4"); }
TEST(Conformance, R5WhatMustGoOn) {
  Case role("a ; c");
  EXPECT_EQ(role.verdict("a ; c"), "ok");
  EXPECT_EQ(role.verdict("a"), "R5 a");
  EXPECT_EQ(role.verdict("a ; c?"), "R5 a");
}
TEST(Conformance, IsReflexive) {
  for (const char* protocol : {"(a ; c)*", "a ; b ; c", "(a & b)*", "a{2,3} ; (b | c)"})
    EXPECT_EQ(Case(protocol).verdict(protocol), "ok") << protocol;
}

/// Whether t.X/1 may play `p` of a Binding in which p starts a and b; p's own Interface says so if
/// `required_starts`.
std::string may_start(const std::string& offered, const std::string& required_starts) {
  const std::string message = "in: google.protobuf.Value}\n",
                    head = "messages: [google/protobuf/struct.proto]\n";
  const auto read = read_types(
      "interface: t.P/1\n" + head + required_starts + "---\ninterface: t.Q/1\n" + head +
          "operations:\n  a: {kind: announce, " + message + "  b: {kind: announce, " + message +
          "---\ninterface: t.X/1\n" + head + offered +
          "---\nbinding: t.B/1\nroles:\n  p: {interface: t.P/1}\n  q: {interface: t.Q/1}\n"
          "interactions:\n  a: {kind: announce, from: p, to: q, operation: a}\n"
          "  b: {kind: announce, from: p, to: q, operation: b}\nprotocol: (a | b)*\n",
      "case", "/");
  EXPECT_TRUE(read) << read.error().text();
  const auto checked =
      check_role(**CompiledInterface::make(read->interfaces.at(2)), read->bindings.at(0), 0,
                 **CompiledInterface::make(read->interfaces.at(0)));
  return checked->conforms() ? "ok" : checked->findings.front().text;
}

TEST(Conformance, RefusesAnInterfaceThatStartsNothingOfWhatOnlyTheRoleMayStart) {
  const std::string a = "  a: {kind: announce, in: google.protobuf.Value}\n",
                    b = "  b: {kind: announce, in: google.protobuf.Value}\n",
                    other = "operations:\n  z: {kind: announce, in: google.protobuf.Value}\n";
  EXPECT_EQ(
      may_start(other, "initiates:\n" + a + b),
      "t.X/1 starts nothing of what only this Role may start (a, b): its `initiates` has none "
      "of it, that of t.P/1 does");
  EXPECT_NE(may_start(other + "protocol: z*\n", "initiates:\n" + a), "ok");
  EXPECT_NE(may_start("initiates:\n  z: {kind: announce, in: google.protobuf.Value}\n",
                      "initiates:\n" + a),
            "ok");
  EXPECT_EQ(may_start("initiates:\n" + b, "initiates:\n" + a + b), "ok") << "one is enough";
  EXPECT_EQ(may_start(other, other), "ok") << "the Role's own Interface says nothing of it";
}

}  // namespace
}  // namespace hector::types
