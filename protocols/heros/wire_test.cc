// What: tests of HEROS' keys, discovery, capabilities, errors and arguments.
// Why: peers of two versions are in the field; what one of them sends must not change meaning.
// Who: ctest, in heros_wire_test.
#include "wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::heros {
namespace {

using objects::Arguments;
using objects::Member;
using objects::ParameterKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(HeroKey, IsReadBackAsItWasWritten) {
  std::string name, member;
  ASSERT_TRUE(read_key(key_of("lab", "camera", "expose"), "lab", name, member));
  EXPECT_EQ(name, "camera");
  EXPECT_EQ(member, "expose");
  ASSERT_TRUE(read_key("@object/lab/camera/expose/**", "lab", name, member));
  EXPECT_EQ(member, "expose");
}

TEST(HeroKey, OfAnotherRealmOrShapeIsNone) {
  std::string name, member;
  for (const char* key : {"@object/other/camera/expose", "@object/lab/camera", "@object/lab//x",
                          "@object/lab/camera/", "@object/lab/camera/a/b", "plain"})
    EXPECT_FALSE(read_key(key, "lab", name, member)) << key;
}

TEST(HeroKey, AChunkHasNoSignOfAKeyExpression) {
  EXPECT_TRUE(is_key_chunk("camera-1"));
  EXPECT_TRUE(is_key_chunk(std::string(200, 'x')));
  EXPECT_FALSE(is_key_chunk(std::string(201, 'x')));
  for (const char* name : {"", "@x", "a/b", "a*", "a$", "a#", "a?", "\xff"})
    EXPECT_FALSE(is_key_chunk(name)) << name;
}

TEST(Discovery, SurvivesItsWay) {
  const Discovered hero{1.0, "camera", "lab.Camera", {"one"}, {"tag"}, {{"key", "text"}}};
  const auto read = read_discovered(write_discovered(hero));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->proto_version, 1.0);
  EXPECT_EQ(read->name, "camera");
  EXPECT_EQ(read->class_name, "lab.Camera");
  EXPECT_THAT(read->implements, ElementsAre("one"));
  EXPECT_THAT(read->tags, ElementsAre("tag"));
  EXPECT_THAT(read->metadata, ElementsAre(Pair("key", "text")));
}

TEST(Discovery, WithoutANameIsRefused) {
  EXPECT_FALSE(read_discovered(Value::map()));
  EXPECT_FALSE(read_discovered(Value::of("text")));
  Value wild = Value::map();
  wild.put("name", Value::of("a/b"));
  EXPECT_FALSE(read_discovered(wild));
  Value old = Value::map();
  old.put("name", Value::of("camera"));
  EXPECT_EQ(read_discovered(old)->proto_version, 0.1) << "the version that does not say so";
}

TEST(Capabilities, AreReadAsTheyAreWritten) {
  const std::vector<objects::ShownMember> shown{
      {{Member::Kind::kMethod,
        "expose",
        {{"seconds", "float", ParameterKind::kPositionalOrKeyword, std::nullopt},
         {"label", "", ParameterKind::kKeywordOnly, Value::of("x")}},
        "int",
        true,
        false}},
      {{Member::Kind::kAttribute, "serial", {}, "str", true, false}},
      {{Member::Kind::kEvent, "frame", {}, {}, true, false}}};
  const auto read = read_capabilities(write_capabilities(shown), "Camera");
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->members.size(), 3U) << "the private ones that wire events are left out";
  const auto& method = read->members[0];
  EXPECT_EQ(method.type, "int");
  ASSERT_EQ(method.parameters.size(), 2U);
  EXPECT_EQ(method.parameters[0].type, "float");
  EXPECT_FALSE(method.parameters[0].fallback);
  EXPECT_EQ(method.parameters[1].kind, ParameterKind::kKeywordOnly);
  EXPECT_EQ(*method.parameters[1].fallback, Value::of("x"));
  EXPECT_TRUE(method.parameters[1].type.empty());
  EXPECT_FALSE(read->members[1].is_writable);
  EXPECT_EQ(read->members[2].kind, Member::Kind::kEvent);
}

TEST(Capabilities, ThatAreNoListAreRefused) {
  EXPECT_FALSE(read_capabilities(Value::map(), "Camera"));
  EXPECT_TRUE(
      read_capabilities(Value::list({Value::of(1), Value::map()}), "Camera")->members.empty());
}

TEST(HeroError, HasTheExceptionThatPythonCatches) {
  const auto type_of = [](const Error& error) {
    return write_error(error).items.at(0).find("type")->text;
  };
  EXPECT_EQ(type_of(Error::invalid_argument("x")), "ValueError");
  EXPECT_EQ(type_of(Error::invalid_argument("x").with_type("TypeError")), "TypeError");
  EXPECT_EQ(type_of(Error::not_found("x")), "LookupError");
  EXPECT_EQ(type_of(Error::permission_denied("x")), "PermissionError");
  EXPECT_EQ(type_of(Error::deadline_exceeded("x")), "TimeoutError");
  EXPECT_EQ(type_of(Error::internal("x")), "RuntimeError");
}

TEST(HeroError, IsReadInEachForm) {
  EXPECT_EQ(read_error("Timeout").code, Code::kDeadlineExceeded);
  const Error typed =
      read_error(cbor_of(write_error(Error::not_found("gone").with_type("KeyError"))));
  EXPECT_EQ(typed.code, Code::kNotFound);
  EXPECT_EQ(typed.type, "KeyError");
  EXPECT_EQ(typed.message, "gone");
  const Error old = read_error(cbor_of(Value::of("it failed\n\nTraceback: …")));
  EXPECT_EQ(old.code, Code::kUnknown);
  EXPECT_EQ(old.message, "it failed");
  EXPECT_THAT(read_error("\xff").message, HasSubstr("cannot be read"));
}

TEST(HeroArguments, AreReadInBothVersions) {
  Arguments arguments;
  arguments.positional.push_back(Value::of(1));
  arguments.keywords.put("label", Value::of("x"));
  const auto read = read_arguments(write_arguments(arguments, 1.0));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->positional.size(), 1U);
  EXPECT_EQ(*read->keywords.find("label"), Value::of("x"));
  const auto old = read_arguments(write_arguments(arguments, 0.1));
  ASSERT_TRUE(old);
  EXPECT_TRUE(old->positional.empty()) << "version 0.1 has names only";
  EXPECT_EQ(*old->keywords.find("label"), Value::of("x"));
}

TEST(HeroArguments, OfAnotherShapeAreATypeError) {
  Value number_key = Value::map();
  number_key.items = {Value::of(1), Value::of(2)};
  for (const auto& value :
       {Value::of(1), Value::list(), Value::list({Value::list(), Value::list()}), number_key}) {
    const auto refused = read_arguments(value);
    ASSERT_FALSE(refused) << value.print();
    EXPECT_EQ(refused.error().type, "TypeError");
  }
}

}  // namespace
}  // namespace hector::heros
