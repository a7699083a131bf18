// What: type files: what is read, and the place of each mistake.
// Why: people write these files by hand.
// Who: types_test.
#include "types/model/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/model/yaml_documents.h"

namespace hector::types {
namespace {

using ::testing::HasSubstr;

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
  EXPECT_THAT(mistake(std::string(100, '[')), HasSubstr("maps and lists inside each other"));
  EXPECT_THAT(
      mistake(
          "binding: t.B/1\nroles:\n  p: {interface: t.I/1, cardinality: 3..2}\ninteractions: {}\n"),
      HasSubstr("f.yaml:3:38: '3..2' is not a cardinality"));
  EXPECT_THAT(mistake("binding: t.B/1\nroles:\n  p: {interface: t.I/1}\n  q: {interface: "
                      "t.I/1}\ninteractions:\n  x: {kind: rpc, from: p, to: p, operation: a}\n"),
              HasSubstr("goes to another role"));
}

TEST_F(TypeFiles, MayNestAsDeeplyAsTheLimitSaysAndNoDeeper) {
  const auto nested = [](std::size_t levels) {  // the document itself is one
    const std::string lists(levels - 1, '[');
    return mistake("interface: t.I/1\ndescription: " + lists + std::string(levels - 1, ']') + "\n");
  };
  EXPECT_THAT(nested(kTypeFileDepthMax), HasSubstr("must be a single value"));
  EXPECT_EQ(nested(kTypeFileDepthMax + 1),
            "f.yaml:2:45: more than 32 maps and lists inside each other");
  std::string blocks;
  for (std::size_t i = 0; i <= kTypeFileDepthMax; ++i) blocks += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(mistake(blocks), HasSubstr("f.yaml:33:33: more than 32 maps and lists"));
  EXPECT_THAT(mistake(std::string(100'000, '[')), HasSubstr("more than 32 maps and lists"));
}

TEST_F(TypeFiles, DoNotCountBracketsInTextsAndComments) {
  const std::string brackets(40, '[');
  EXPECT_EQ(mistake("description: \"" + brackets + "\"  # " + brackets + "\n" + interface("a")),
            "ok");
}

TEST_F(TypeFiles, ThatHoldThemselvesAreRefusedNotFollowed) {
  EXPECT_THAT(mistake("interface: t.I/1\noperations: &x\n  a: *x\n"), HasSubstr("f.yaml:"));
}

TEST_F(TypeFiles, TellTheOneDocumentThatIsWrong) {
  const auto documents = *read_type_documents(
      interface("a") + "---\ninterface: t.J/1\nmessages: [\n---\n" + interface("b"), "f.yaml", "/");
  ASSERT_EQ(documents.size(), 3U);
  EXPECT_TRUE(documents[0].interface);
  ASSERT_TRUE(documents[1].mistake);
  EXPECT_EQ(documents[1].id, "t.J/1") << "as far as it can be told";
  ASSERT_TRUE(documents[2].mistake);
  EXPECT_THAT(documents[2].mistake->message, HasSubstr("t.I/1 stands twice"));
}

TEST_F(TypeFiles, MayBeginAProtocolWithAChooser) {
  const std::string yaml =
      "binding: t.B/1\nroles: {p: {interface: t.I/1}, q: {interface: t.I/1}}\ninteractions:\n  x: "
      "{kind: rpc, from: p, to: q, operation: a}\nprotocol: @p(x |\n  end) # 'why'\n";
  EXPECT_EQ(mistake(yaml), "ok");
}

TEST_F(TypeFiles, AreBoundedInSize) {
  const std::string head = "interface: t.I/1\n#";
  EXPECT_EQ(mistake(head + std::string(kTypeFileOctetsMax - head.size(), 'x')), "ok");
  EXPECT_THAT(mistake(head + std::string(kTypeFileOctetsMax - head.size() + 1, 'x')),
              HasSubstr("may have 1048576 octets, this one has 1048577"));
}

TEST_F(TypeFiles, SayWhatAnOperationLacks) {
  const auto operation = [](const std::string& text) {
    return mistake("interface: t.I/1\nmessages: [google/protobuf/empty.proto]\noperations:\n  a: " +
                   text + "\n");
  };
  const std::string empty = "google.protobuf.Empty";
  EXPECT_THAT(operation("{in: x}"), HasSubstr("f.yaml:4:6: operation 'a' has no kind"));
  EXPECT_THAT(operation("{kind: rpc}"), HasSubstr("has no `in`"));
  EXPECT_THAT(operation("{kind: rpc, in: " + empty + "}"), HasSubstr("has no `out`"));
  EXPECT_THAT(operation("{kind: announce, in: " + empty + ", out: " + empty + "}"),
              HasSubstr("an announcement has no reply"));
  EXPECT_THAT(operation("{kind: rpc, in: " + empty + ", out: " + empty + ", flow: in}"),
              HasSubstr("`flow` belongs to streams only"));
  EXPECT_THAT(operation("{kind: stream, in: " + empty + ", out: " + empty + ", flow: up}"),
              HasSubstr("unknown flow 'up'; known are out, in, both"));
  EXPECT_THAT(operation("{kind: multicast, in: " + empty + "}"), HasSubstr("unknown kind"));
}

}  // namespace
}  // namespace hector::types
