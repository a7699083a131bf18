// Types: expressions, their languages, type files and conformance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/check/conformance.h"
#include "types/model/reader.h"
#include "types/order/expression.h"
#include "types/order/monitor.h"
#include "types/registry/repository.h"

namespace hector::types {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string round_trip(const std::string& text) {
  auto parsed = parse_expression(text);
  return parsed ? print_expression(*parsed) : parsed.error().message;
}

TEST(Expression, BindsPostfixTightestThenSequenceInterleavingAndChoice) {
  EXPECT_EQ(round_trip("a;b&c|d"), "a ; b & c | d");
  EXPECT_EQ(round_trip("(a|b);c*"), "(a | b) ; c*");
  EXPECT_EQ(round_trip("a;(b;c)"), "a ; (b ; c)");
  EXPECT_EQ(round_trip("x{2} ; y{1,} ; z{2,5} ; w?"), "x{2} ; y+ ; z{2,5} ; w?");
  EXPECT_EQ(round_trip("@m(a[w] | end) before 2s # why"), "@m(a[w] | end) before 2000ms");
  EXPECT_EQ(round_trip("a[w?] ; b[w*] ; c[w+]"), "a[w?] ; b[w*] ; c[w+]");
}

TEST(Expression, SaysTheColumnOfAMistake) {
  EXPECT_THAT(round_trip("a ; ; b"), HasSubstr("column 5: found ';'"));
  EXPECT_THAT(round_trip("()"), HasSubstr("column 2"));
  EXPECT_THAT(round_trip("a | (b"), HasSubstr("column 7: found the end"));
  EXPECT_THAT(round_trip("before"), HasSubstr("reserved"));
  EXPECT_THAT(round_trip("a{5,2}"), HasSubstr("m may not be less than n"));
  EXPECT_THAT(round_trip(std::string(300, '(') + "a" + std::string(300, ')')),
              HasSubstr("open parentheses"));
  EXPECT_THAT(round_trip(std::string(70'000, 'a')), HasSubstr("65536 octets"));
}

class TypeFiles : public ::testing::Test {
 protected:
  static std::string interface(const std::string& protocol, const std::string& extra = "") {
    return "interface: t.I/1\nmessages: [google/protobuf/struct.proto]\noperations:\n"
           "  a: {kind: rpc, in: google.protobuf.Value, out: google.protobuf.Value}\n"
           "  b: {kind: announce, in: google.protobuf.Value}\n  c: {kind: announce, in: "
           "google.protobuf.Value}\n" +
           extra + (protocol.empty() ? "" : "protocol: " + protocol + "\n");
  }
  static std::string mistake(const std::string& yaml) {
    auto read = read_types(yaml, "f.yaml", "/");
    return read ? "ok" : read.error().message;
  }
};

TEST_F(TypeFiles, AreReadWithTheirPlacesInEveryError) {
  EXPECT_EQ(mistake(interface("(a ; b)*")), "ok");
  EXPECT_THAT(mistake(interface("a ; d")),
              HasSubstr("f.yaml:7:11: the protocol names an unknown operation 'd'"));
  EXPECT_THAT(mistake("interface: t.I\n"), HasSubstr("f.yaml:1:12: 't.I' is not a type id"));
  EXPECT_THAT(mistake("interfac: t.I/1\n"), HasSubstr("f.yaml:1:1: a type document starts with"));
  EXPECT_THAT(
      mistake("interface: t.I/1\noperatons: {}\n"),
      HasSubstr(
          "f.yaml:2:1: unknown key 'operatons' in the document (did you mean 'operations'?)"));
  EXPECT_THAT(mistake("interface: t.I/1\nmessages: [google/protobuf/empty.proto]\noperations:\n  "
                      "a: {kind: rcp, in: google.protobuf.Empty, out: google.protobuf.Empty}\n"),
              HasSubstr("f.yaml:4:13: unknown kind 'rcp' (did you mean 'rpc'?)"));
  EXPECT_THAT(
      mistake("interface: t.I/1\nmessages: [google/protobuf/empty.proto]\noperations:\n  a: {kind: "
              "rpc, in: google.protobuf.Emty, out: google.protobuf.Empty}\n"),
      HasSubstr(
          "unknown message type 'google.protobuf.Emty' (did you mean 'google.protobuf.Empty'?)"));
  EXPECT_THAT(mistake("interface: t.I/1\nmessages: [nowhere.proto]\n"), HasSubstr("nowhere.proto"));
  EXPECT_THAT(mistake("a: [b\n"), HasSubstr("not YAML"));
  EXPECT_THAT(mistake(std::string(100, '[')), HasSubstr("open brackets"));
  EXPECT_THAT(
      mistake(
          "binding: t.B/1\nroles:\n  p: {interface: t.I/1, cardinality: 3..2}\ninteractions: {}\n"),
      HasSubstr("f.yaml:3:38: '3..2' is not a cardinality"));
  EXPECT_THAT(mistake("binding: t.B/1\nroles:\n  p: {interface: t.I/1}\n  q: {interface: "
                      "t.I/1}\ninteractions:\n  x: {kind: rpc, from: p, to: p, operation: a}\n"),
              HasSubstr("goes to another role"));
}

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
    std::string text = checked->reasons.front().rule;
    for (const auto& step : checked->reasons.front().trace) text += " " + step;
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

TEST(Signature, NamesEveryFieldThatDoesNotFit) {
  namespace pb = google::protobuf;
  const auto make = [](const char* fields) {
    pb::FileDescriptorSet files;
    auto* file = files.add_file();
    file->set_name("m.proto");
    file->set_package("m");
    file->set_syntax("proto2");
    auto* message = file->add_message_type();
    message->set_name("M");
    int number = 0;
    for (const char* f = fields; *f != '\0'; ++f) {
      ++number;
      if (*f == ' ') continue;
      auto* field = message->add_field();
      field->set_name("f" + std::to_string(number));
      field->set_number(number);
      field->set_label(*f == 'I'   ? pb::FieldDescriptorProto::LABEL_REQUIRED
                       : *f == 'r' ? pb::FieldDescriptorProto::LABEL_REPEATED
                                   : pb::FieldDescriptorProto::LABEL_OPTIONAL);
      field->set_type(*f == 's'   ? pb::FieldDescriptorProto::TYPE_STRING
                      : *f == 'l' ? pb::FieldDescriptorProto::TYPE_INT64
                      : *f == 'z' ? pb::FieldDescriptorProto::TYPE_SINT32
                                  : pb::FieldDescriptorProto::TYPE_INT32);
    }
    return *MessagePool::make(files);
  };
  const auto reasons = [&](const char* sent, const char* expected) {
    const auto a = make(sent), b = make(expected);
    std::vector<Reason> found;
    check_message(*a->find("m.M"), *b->find("m.M"), "request", found);
    return found.size();
  };
  EXPECT_EQ(reasons("is", "is"), 0U);
  EXPECT_EQ(reasons("iss", "is"), 0U);  // an unknown field is passed over
  EXPECT_EQ(reasons("i", "is"), 0U);    // an optional one may be missing
  EXPECT_EQ(reasons("i", "l"), 0U);     // int32 fits where int64 is expected
  EXPECT_EQ(reasons("l", "i"), 1U);
  EXPECT_EQ(reasons("z", "i"), 1U);  // zigzag is another wire form
  EXPECT_EQ(reasons("s", "i"), 1U);
  EXPECT_EQ(reasons("r", "i"), 1U);
  EXPECT_EQ(reasons(" i", "Ii"), 1U);  // required, but never sent
  EXPECT_EQ(reasons("ss", "ii"), 2U);
}

TEST(Monitor, FollowsOneMembersViewForAnyNumberOfMembers) {
  Repository types;
  ASSERT_TRUE(types.load_text(
      "binding: t.B/1\nroles:\n  m: {interface: t.M/1}\n  w: {interface: t.W/1, cardinality: "
      "1..100}\ninteractions:\n"
      "  call: {kind: multicast, from: m, to: w, operation: call}\n  bid: {kind: announce, from: "
      "w, to: m, operation: bid}\n"
      "  award: {kind: rpc, from: m, to: w, operation: award}\nprotocol: call ; bid[w] ; award\n",
      "t", "/"));
  const auto binding = *types.binding("t.B/1");
  for (const std::uint32_t members : {1U, 3U, 60U}) {
    Monitor manager(binding, {0, 0, {1, members}});
    EXPECT_FALSE(manager.step(view_symbol(1, 0)));
    EXPECT_EQ(manager.look(view_symbol(1, 0)), Monitor::Answer::kNotYet);
    EXPECT_EQ(manager.allowed(), "call");
    EXPECT_TRUE(manager.step(view_symbol(0, 0)));
    for (std::uint32_t w = members; w-- > 0;) {
      EXPECT_FALSE(manager.step(view_symbol(2, 0)));
      EXPECT_TRUE(manager.step(view_symbol(1, w)));
      EXPECT_FALSE(manager.step(view_symbol(1, w))) << "each once";
    }
    EXPECT_TRUE(manager.step(view_symbol(2, 0)));
    EXPECT_TRUE(manager.may_end());
    EXPECT_EQ(manager.look(view_symbol(1, 0)), Monitor::Answer::kNever);
    Monitor worker(binding, {1, 0, {1, members}});
    EXPECT_TRUE(worker.step(view_symbol(0, 0)));
    EXPECT_TRUE(worker.step(view_symbol(1, 0)));
    EXPECT_EQ(worker.may_end(), members > 1) << "another may get the award";
  }
}

TEST(Regular, ForgetsWhatAnExpressionIsNotMadeOfAndGoesOnAsBefore) {
  Regular language;
  const auto a = language.symbol(1), b = language.symbol(2), c = language.symbol(3);
  Regular::Node node = language.star(language.interleave(
      {language.sequence(a, b), language.choice({c, language.sequence(b, a)})}));
  for (const Symbol symbol : {1U, 3U, 2U, 2U, 1U, 1U, 2U}) {
    const std::size_t before = language.size();
    node = language.keep_only(language.after(node, symbol));
    ASSERT_NE(node, Regular::kVoid);
    EXPECT_LT(language.size(), before + 20);
  }
  EXPECT_TRUE(language.may_end(node));
  EXPECT_EQ(language.after(node, 4), Regular::kVoid);
}

TEST(Repository, KeepsATypeAsItIsUnderItsId) {
  Repository types;
  const std::string yaml =
      "interface: t.I/1\nmessages: [google/protobuf/empty.proto]\noperations:\n  a: {kind: "
      "announce, in: google.protobuf.Empty}\n";
  ASSERT_TRUE(types.load_text(yaml, "t", "/"));
  EXPECT_TRUE(types.load_text(yaml, "again", "/"));
  const auto changed =
      types.load_text(yaml + "  b: {kind: announce, in: google.protobuf.Empty}\n", "t", "/");
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Code::kAlreadyExists);
  EXPECT_THAT(changed.error().message, HasSubstr("raise the number after the slash"));
}

}  // namespace
}  // namespace hector::types
