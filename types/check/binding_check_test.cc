// C0 to C5: the samples of the rules, and what each message says.
#include "types/check/binding_check.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/model/reader.h"
#include "types/order/expression.h"

namespace hector::types {
namespace {

using ::testing::HasSubstr;

/// p, q, r one member each; a: p→q, b: q→r, c: p→r, d: r→q, e: r→p announcements; k: p→q an rpc. m
/// one member, w 1..*; call: m→w multicast, bid: w→m, deny: m→w announcements, award: m→w an rpc.
constexpr const char* kThree =
    "binding: t.B/1\nroles: {p: {interface: t.P/1}, q: {interface: t.Q/1}, r: {interface: "
    "t.R/1}}\ninteractions:\n"
    "  a: {kind: announce, from: p, to: q, operation: a}\n  b: {kind: announce, from: q, to: r, "
    "operation: b}\n"
    "  c: {kind: announce, from: p, to: r, operation: c}\n  d: {kind: announce, from: r, to: q, "
    "operation: d}\n"
    "  e: {kind: announce, from: r, to: p, operation: e}\n  k: {kind: rpc, from: p, to: q, "
    "operation: k}\nprotocol: \"";
constexpr const char* kMany =
    "binding: t.B/1\nroles: {m: {interface: t.M/1}, w: {interface: t.W/1, cardinality: "
    "1..*}}\ninteractions:\n"
    "  call: {kind: multicast, from: m, to: w, operation: call}\n  bid: {kind: announce, from: w, "
    "to: m, operation: bid}\n"
    "  deny: {kind: announce, from: m, to: w, operation: deny}\n  award: {kind: rpc, from: m, to: "
    "w, operation: award}\nprotocol: \"";

std::optional<Finding> fault_of(const char* type, const std::string& protocol) {
  auto file = read_types(type + protocol + "\"\n", "t.yaml", "/");
  EXPECT_TRUE(file) << file.error().text();
  return check_binding(file->bindings.at(0), {});
}

/// "works", or the rule, the parties, and the trace.
std::string verdict(const char* type, const std::string& protocol) {
  const auto fault = fault_of(type, protocol);
  return fault ? fmt::format("{}, {}, trace {}", fault->rule, fmt::join(fault->roles, " and "),
                             fmt::join(fault->trace, " "))
               : "works";
}

TEST(BindingCheck, TheSamplesOfTheRules) {
  const std::pair<const char*, const char*> samples[] = {
      {"a ; b ; c", "works"},
      {"@p(a | c ; d)", "works"},
      {"a ; d", "works"},
      {"@p(a ; d | c)", "C2, r, trace d"},
      {"(a ; b)*", "works"},
      {"@p(a ; e | k)", "C2, r, trace e"},
      {"a* & d", "works"},
      {"a* ; d", "C1, p and r, trace d"},
      {"a | b", "C1, p and q, trace a"},
      {"(a ; b)* ; c", "C3, r, trace c"},
      {"@q(a | b)", "C0, p, trace a"},
      {"a ; b ; (c | d)", "C1, p and r, trace a b c"},
      {"(b & c)*", "C5, p, trace b"},
  };
  for (const auto& [protocol, expected] : samples) {
    EXPECT_EQ(verdict(kThree, protocol), expected) << protocol;
  }
}

TEST(BindingCheck, TheSamplesWithManyMembers) {
  EXPECT_EQ(verdict(kMany, "call ; bid[w] ; award"), "works");
  EXPECT_EQ(verdict(kMany, "call ; bid* ; award"), "C1, m and w, trace call award");
  EXPECT_EQ(verdict(kMany, "call ; bid[w?] ; award"), "C1, m and w, trace call award");
  EXPECT_EQ(verdict(kMany, "call ; bid[w?] before 2s ; award"), "works");
  EXPECT_EQ(verdict(kMany, "call ; bid ; award"), "C1, w and w, trace call bid");
  EXPECT_EQ(verdict(kMany, "call ; bid[w*] before 2s ; award ; bid"), "C4, w and m, trace bid");
}

TEST(BindingCheck, NamesThatFitNothing) {
  EXPECT_THAT(fault_of(kMany, "call[w] ; bid")->text,
              HasSubstr("a multicast reaches all members of 'w' at once; write call"));
  EXPECT_THAT(fault_of(kMany, "award[m]")->text,
              HasSubstr("role 'm' has one member at most; write award"));
  EXPECT_THAT(fault_of(kThree, "a[r]")->text,
              HasSubstr("'r' is at neither end of a, which goes from p to q"));
}

TEST(BindingCheck, WhatIsTooLargeIsSaidAtOnce) {
  const auto fault = fault_of(kThree, "a{400} & b{400} & c{400}");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->rule, "limits");
}

}  // namespace
}  // namespace hector::types
