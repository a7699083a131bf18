// Signature subtyping: RM-ODP's rules (ISO/IEC 10746-3, 7.2.4) over Protobuf's structure ("Updating
// A Message Type").
#include "types/check/signature.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "types/check/conformance.h"
#include "types/model/reader.h"

namespace hector::types {
namespace {

using ::testing::HasSubstr;
namespace pb = google::protobuf;

pb::FileDescriptorSet parse(const std::string& text) {
  pb::io::ArrayInputStream in(text.data(), static_cast<int>(text.size()));
  pb::io::Tokenizer tokens(&in, nullptr);
  pb::compiler::Parser parser;
  pb::FileDescriptorSet files;
  EXPECT_TRUE(parser.Parse(&tokens, files.add_file())) << text;
  files.mutable_file(0)->set_name("m.proto");
  return files;
}

/// What is wrong with giving the first M where the second is expected; "" if nothing.
std::string given(const std::string& sent, const std::string& expected,
                  const char* syntax = "proto3", const char* expected_syntax = nullptr) {
  const auto a = MessagePool::make(parse(fmt::format("syntax = \"{}\"; {}", syntax, sent)));
  const auto b = MessagePool::make(parse(fmt::format(
      "syntax = \"{}\"; {}", expected_syntax == nullptr ? syntax : expected_syntax, expected)));
  EXPECT_TRUE(a && b);
  std::vector<Finding> reasons;
  check_message(*(*a)->find("M"), *(*b)->find("M"), "request", reasons);
  std::string text;
  for (const auto& reason : reasons) text += (text.empty() ? "" : "; ") + reason.text;
  return text;
}

TEST(MessageSubtyping, ScalarsThatShareAWireForm) {
  const auto field = [](const std::string& type) { return "message M { " + type + " f = 1; }"; };
  const std::pair<const char*, const char*> fit[] = {
      {"int32", "int64"},   {"uint32", "uint64"},    {"bool", "int32"},       {"bool", "uint64"},
      {"sint32", "sint64"}, {"fixed32", "sfixed32"}, {"sfixed64", "fixed64"}, {"string", "bytes"}};
  for (const auto& [sent, expected] : fit)
    EXPECT_EQ(given(field(sent), field(expected)), "") << sent << " for " << expected;
  const std::pair<const char*, const char*> unfit[] = {
      {"int64", "int32"},    {"int32", "sint32"}, {"int32", "fixed32"}, {"float", "double"},
      {"double", "fixed64"}, {"bytes", "string"}, {"int32", "string"},  {"int32", "bool"}};
  for (const auto& [sent, expected] : unfit)
    EXPECT_EQ(given(field(sent), field(expected)),
              fmt::format("request, field 1 'f': {} sent, {} expected", sent, expected));
}

TEST(MessageSubtyping, RepeatedPackedAndMaps) {
  EXPECT_EQ(given("message M { int32 f = 1; }", "message M { repeated int32 f = 1; }"), "");
  EXPECT_EQ(given("message M { repeated int32 f = 1; }", "message M { int32 f = 1; }"),
            "request, field 1 'f': repeated sent, one value expected");
  EXPECT_EQ(given("message M { repeated int32 f = 1 [packed = false]; }",
                  "message M { repeated int32 f = 1 [packed = true]; }"),
            "");
  EXPECT_EQ(given("message M { map<string, int32> f = 1; }",
                  "message M { message E { string k = 1; int64 v = 2; } repeated E f = 1; }"),
            "");
  EXPECT_EQ(
      given("message M { map<string, int32> f = 1; }", "message M { map<string, string> f = 1; }"),
      "request, field 1 'f', field 2 'value': int32 sent, string expected");
  EXPECT_EQ(given("message M { map<string, int32> f = 1; }", "message M { int32 f = 1; }"),
            "request, field 1 'f': a map sent, one value expected");
}

TEST(MessageSubtyping, Oneofs) {
  const char* const free = "message M { int32 a = 1; string b = 2; }";
  const char* const choice = "message M { oneof c { int32 a = 1; string b = 2; } }";
  EXPECT_EQ(given(choice, free), "");
  EXPECT_EQ(given(choice, choice), "");
  EXPECT_EQ(given(free, choice),
            "request, field 2 'b': may be sent beside 'a', but both are alternatives of oneof 'c'");
  EXPECT_EQ(given("message M { oneof c { int32 a = 1; } oneof d { string b = 2; } }", choice),
            "request, field 2 'b': may be sent beside 'a', but both are alternatives of oneof 'c'");
  EXPECT_EQ(given("message M { int32 a = 1; }", choice), "");
  EXPECT_EQ(given("message M { optional int32 a = 1; optional string b = 2; }", free), "");
}

TEST(MessageSubtyping, EnumsOpenAndClosed) {
  const char* const two = "enum E { A = 0; B = 1; } message M { optional E f = 1; }";
  const char* const three = "enum E { A = 0; B = 1; C = 2; } message M { optional E f = 1; }";
  EXPECT_EQ(given(three, two, "proto3"), "") << "an open enumeration passes any number on";
  EXPECT_EQ(given(two, three, "proto2"), "");
  EXPECT_EQ(given(three, two, "proto2"),
            "request, field 1 'f': enum value C = 2 is not known to closed enum E");
  EXPECT_EQ(given("message M { optional int32 f = 1; }", two, "proto2"),
            "request, field 1 'f': any int32 sent, closed enum E expected");
  EXPECT_EQ(given(two, "message M { int32 f = 1; }", "proto2", "proto3"), "");
}

TEST(MessageSubtyping, PresenceReservedNumbersGroupsAndBytes) {
  EXPECT_EQ(given("message M { }", "message M { required int32 f = 1; }", "proto2"),
            "request, field 1 'f': required, but never sent");
  EXPECT_EQ(
      given("message M { optional int32 f = 1; }", "message M { required int32 f = 1; }", "proto2"),
      "request, field 1 'f': required, but may be left out");
  EXPECT_EQ(given("message M { required int32 f = 1; optional int32 g = 2; }",
                  "message M { optional int32 f = 1; }", "proto2"),
            "");
  EXPECT_EQ(given("message M { int32 f = 4; }", "message M { reserved 3 to 5; }"),
            "request, field 4 'f': sent, but M reserves the number");
  EXPECT_EQ(given("message M { optional group G = 1 { } }",
                  "message M { message G { } optional G g = 1; }", "proto2"),
            "request, field 1 'g': group M.G sent, M.G expected");
  EXPECT_EQ(
      given("message N { int32 x = 1; } message M { N f = 1; }", "message M { bytes f = 1; }"), "");
  EXPECT_EQ(
      given("message M { bytes f = 1; }", "message N { int32 x = 1; } message M { N f = 1; }"),
      "request, field 1 'f': bytes sent, N expected");
}

TEST(MessageSubtyping, GroupsOfRecursiveTypes) {
  const char* const tree = "message L { M m = 1; } message M { repeated L kids = 1; int32 v = 2; }";
  EXPECT_EQ(given(tree, tree), "");
  EXPECT_EQ(given(tree, "message L { M m = 1; } message M { repeated L kids = 1; int64 v = 2; }"),
            "");
  EXPECT_EQ(
      given(
          tree,
          "message L { M m = 1; string s = 2; } message M { repeated L kids = 1; string v = 2; }"),
      "request, field 2 'v': int32 sent, string expected");
}

/// Interfaces over wide { int64 } and narrow { int32 }: a narrow fits where a wide one is expected,
/// not the other way round.
CompiledPtr interface_of(const std::string& operations) {
  static const pb::FileDescriptorSet files =
      parse("syntax = \"proto3\"; message Wide { int64 v = 1; } message Narrow { int32 v = 1; }");
  hector::type::v1::Interface model;
  model.set_name("t.I");
  model.set_major(1);
  model.set_descriptors(files.SerializeAsString());
  std::istringstream in(operations);
  for (std::string direction, name, kind, input, output, thrown;
       in >> direction >> name >> kind >> input >> output >> thrown;) {
    auto* operation = direction == "handles" ? model.add_operations() : model.add_initiates();
    operation->set_name(name);
    operation->set_kind(kind == "rpc"        ? hector::type::v1::KIND_RPC
                        : kind == "announce" ? hector::type::v1::KIND_ANNOUNCE
                                             : hector::type::v1::KIND_STREAM);
    if (kind == "stream") operation->set_flow(hector::type::v1::FLOW_OUT);
    operation->set_input(input);
    if (output != "-") operation->set_output(output);
    if (thrown != "-") operation->add_throws(thrown);
  }
  auto made = CompiledInterface::make(model);
  EXPECT_TRUE(made);
  return *made;
}

std::string replaces(const std::string& newer, const std::string& older) {
  const auto conformance = check_replacement(*interface_of(newer), *interface_of(older));
  std::string text;
  for (const auto& reason : conformance.findings) text += (text.empty() ? "" : "; ") + reason.text;
  return text;
}

TEST(OperationInterfaces, Clause7_2_4_3_ParametersAreContravariantTerminationsCovariant) {
  EXPECT_EQ(replaces("handles f rpc Wide Narrow -", "handles f rpc Narrow Wide -"), "");
  EXPECT_THAT(replaces("handles f rpc Narrow Narrow -", "handles f rpc Wide Narrow -"),
              HasSubstr("operation 'f', request, field 1 'v': int64 sent, int32 expected"));
  EXPECT_THAT(replaces("handles f rpc Wide Wide -", "handles f rpc Wide Narrow -"),
              HasSubstr("operation 'f', reply, field 1 'v': int64 sent, int32 expected"));
  EXPECT_THAT(replaces("handles f rpc Wide Wide Narrow", "handles f rpc Wide Wide -"),
              HasSubstr("may throw Narrow, which the other side does not expect"));
  EXPECT_EQ(replaces("handles f rpc Wide Wide -", "handles f rpc Wide Wide Narrow"), "")
      << "a termination fewer";
}
TEST(OperationInterfaces, Clause7_2_4_3_EveryOperationIsThereOfTheSameKindAndMoreMayBe) {
  EXPECT_THAT(replaces("handles g rpc Wide Wide -", "handles f rpc Wide Wide -"),
              HasSubstr("operation 'f' is missing"));
  EXPECT_EQ(
      replaces("handles f rpc Wide Wide - handles g rpc Wide Wide -", "handles f rpc Wide Wide -"),
      "");
  EXPECT_THAT(replaces("handles f announce Wide - -", "handles f rpc Wide Wide -"),
              HasSubstr("operation 'f': announce here, rpc there"));
}
TEST(SignalInterfaces, Clause7_2_4_1_SignalsReceivedAreContravariantSignalsSentCovariant) {
  EXPECT_EQ(replaces("handles s announce Wide - -", "handles s announce Narrow - -"), "");
  EXPECT_THAT(replaces("handles s announce Narrow - -", "handles s announce Wide - -"),
              HasSubstr("int64 sent, int32 expected"));
  EXPECT_EQ(replaces("starts s announce Narrow - -", "starts s announce Wide - -"), "");
  EXPECT_THAT(replaces("starts s announce Wide - -", "starts s announce Narrow - -"),
              HasSubstr("int64 sent, int32 expected"));
}
TEST(StreamInterfaces, Clause7_2_4_2_FlowsProducedAreCovariantFlowsConsumedContravariant) {
  EXPECT_EQ(replaces("handles s stream Wide Narrow -", "handles s stream Wide Wide -"), "");
  EXPECT_THAT(replaces("handles s stream Wide Wide -", "handles s stream Wide Narrow -"),
              HasSubstr("reply, field 1 'v': int64 sent, int32 expected"));
  EXPECT_THAT(replaces("handles s rpc Wide Wide -", "handles s stream Wide Wide -"),
              HasSubstr("rpc here, stream there"));
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
    std::vector<Finding> found;
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

}  // namespace
}  // namespace hector::types
