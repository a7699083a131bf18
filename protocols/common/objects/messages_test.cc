// What: tests of MessageCodec: arguments and values to messages and back.
// Why: a foreign caller's arguments must arrive in the right fields or be refused as Python does.
// Who: ctest, in foreign_objects_test.
#include "objects/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/testing.h"

namespace hector::objects {
namespace {

using ::testing::HasSubstr;
using testing::ModelInterface;

constexpr auto kEither = ParameterKind::kPositionalOrKeyword;

class MessagesTest : public ::testing::Test {
 protected:
  MessagesTest() {
    const Description description{
        "Camera",
        {{Member::Kind::kMethod,
          "expose",
          {{"seconds", "float", kEither, std::nullopt},
           {"count", "int", kEither, Value::of(1)},
           {"rest", "", ParameterKind::kPositionalRest, std::nullopt},
           {"named", "", ParameterKind::kKeywordRest, std::nullopt}},
          "int"},
         {Member::Kind::kMethod, "free", {{"anything", "", kEither, std::nullopt}}, ""},
         {Member::Kind::kAttribute, "gain", {}, "float"}}};
    auto made = write_interface(description, "hero.Camera", 1);
    EXPECT_TRUE(made) << made.error().text();
    description_ = description;
    interface = std::make_unique<ModelInterface>(made->model);
    auto codec_made = MessageCodec::of(*interface);
    EXPECT_TRUE(codec_made) << codec_made.error().text();
    codec = std::move(*codec_made);
  }
  const Operation& operation(const std::string& name) { return *interface->find(name); }
  /// Through a request message and out of it, as the foreign method would get them.
  Result<Arguments> through(const std::string& name, const Arguments& arguments) {
    const auto request = HECTOR_TRY(codec->request_of(operation(name), arguments));
    return codec->arguments_of(operation(name), request,
                               description_.members[name == "expose" ? 0 : 1].parameters);
  }
  static Arguments positional(std::vector<Value> values) {
    return {std::move(values), Value::map()};
  }
  static Arguments named(const std::string& key, Value value) {
    Arguments made;
    made.keywords.put(key, std::move(value));
    return made;
  }
  std::string refused(const Arguments& arguments) {
    const auto request = codec->request_of(operation("expose"), arguments);
    EXPECT_FALSE(request);
    if (request) return "";
    EXPECT_EQ(request.error().type, "TypeError");
    EXPECT_EQ(request.error().code, Code::kInvalidArgument);
    return request.error().message;
  }
  Description description_;
  std::unique_ptr<ModelInterface> interface;
  std::unique_ptr<const MessageCodec> codec;
};

TEST_F(MessagesTest, PositionalArgumentsFillTheFieldsInTheirOrder) {
  const auto got = through("expose", positional({Value::of(0.5), Value::of(3)}));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(*got->keywords.find("seconds"), Value::of(0.5));
  EXPECT_EQ(*got->keywords.find("count"), Value::of(3));
}

TEST_F(MessagesTest, AnOptionalArgumentThatIsNotGivenIsLeftOut) {
  const auto got = through("expose", named("seconds", Value::of(0.5)));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->keywords.find("count"), nullptr);
}

TEST_F(MessagesTest, ArgumentsLeftOverGoToTheRest) {
  Arguments arguments = positional({Value::of(0.5), Value::of(3), Value::of("a"), Value::of(7)});
  arguments.keywords.put("extra", Value::of(true));
  const auto got = through("expose", arguments);
  ASSERT_TRUE(got) << got.error().text();
  ASSERT_EQ(got->positional.size(), 4U) << "with *args all before them are positional";
  EXPECT_EQ(got->positional[3], Value::of(7));
  EXPECT_EQ(*got->keywords.find("extra"), Value::of(true));
}

TEST_F(MessagesTest, RefusesArgumentsAsPythonDoes) {
  EXPECT_THAT(refused({}), HasSubstr("expose() misses the argument 'seconds'"));
  Arguments twice = positional({Value::of(0.5)});
  twice.keywords.put("seconds", Value::of(1.0));
  EXPECT_THAT(refused(twice), HasSubstr("several values for argument 'seconds'"));
  const auto unknown = codec->request_of(operation("free"), named("other", Value::of(1)));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("unexpected argument 'other'"));
  const auto many = codec->request_of(operation("free"), positional({Value::of(1), Value::of(2)}));
  ASSERT_FALSE(many);
  EXPECT_THAT(many.error().message, HasSubstr("takes 1 arguments, 2 were given"));
}

TEST_F(MessagesTest, AValueThatIsNotAsAnnotatedIsCarriedBeside) {
  const auto got = through("expose", named("seconds", Value::of("soon")));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(*got->keywords.find("seconds"), Value::of("soon"));
}

TEST_F(MessagesTest, AnyValueSurvivesItsWayThroughAnUntypedField) {
  Value map = Value::map();
  map.put("list",
          Value::list({Value::null(), Value::of(-1), Value::octets(std::string("\0x", 2))}));
  map.put("set", Value::tagged(kSetTag, Value::list({Value::of(1)})));
  map.items.push_back(Value::of(7));  // a key that is no text
  map.items.push_back(Value::of(0.25));
  const auto got = through("free", positional({map}));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(*got->keywords.find("anything"), map);
}

TEST_F(MessagesTest, RefusesANestingDeeperThanItsLimit) {
  const auto nested = [](int depth) {
    Value value = Value::of(1);
    for (int i = 0; i < depth; ++i) value = Value::list({std::move(value)});
    return value;
  };
  EXPECT_TRUE(codec->request_of(operation("free"), positional({nested(99)})));
  const auto refused = codec->request_of(operation("free"), positional({nested(101)}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("nested more than 100 deep"));
}

TEST_F(MessagesTest, AReplyIsTheBareValueOfItsOnlyField) {
  const auto reply = codec->reply_of(operation("expose"), Value::of(42));
  ASSERT_TRUE(reply) << reply.error().text();
  EXPECT_EQ(*codec->value_of_reply(operation("expose"), *reply), Value::of(42));
  const auto other = codec->reply_of(operation("expose"), Value::null());
  ASSERT_TRUE(other) << other.error().text();
  EXPECT_EQ(*codec->value_of_reply(operation("expose"), *other), Value::null())
      << "an int was annotated, None was returned";
}

TEST_F(MessagesTest, AnAttributeIsSetWithItsValue) {
  const auto request = codec->request_of_value(operation("set_gain"), Value::of(2.5));
  ASSERT_TRUE(request) << request.error().text();
  EXPECT_EQ(*codec->value_of_request(operation("set_gain"), *request), Value::of(2.5));
}

TEST_F(MessagesTest, RefusesOctetsThatAreNoMessage) {
  const auto refused = codec->value_of_reply(operation("expose"), Bytes::copy("\xff\xff"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
}

TEST_F(MessagesTest, TellsItsFieldsWithTypeAndKind) {
  const auto fields = codec->input_fields(operation("expose"));
  ASSERT_EQ(fields.size(), 4U) << "the untyped field is not one of them";
  EXPECT_EQ(fields[0].type, "float");
  EXPECT_FALSE(fields[0].is_optional);
  EXPECT_TRUE(fields[1].is_optional);
  EXPECT_EQ(fields[2].kind, ParameterKind::kPositionalRest);
  EXPECT_EQ(fields[3].kind, ParameterKind::kKeywordRest);
}

constexpr const char* kNumbersProto = R"(syntax = "proto3"; package n;
message In { uint64 count = 1; bytes octets = 2; double real = 3; int64 small = 4; }
message Out { uint64 count = 1; })";
constexpr const char* kNumbersYaml = R"(interface: n.Numbers/1
messages: [n.proto]
operations:
  take: {kind: rpc, in: n.In, out: n.Out}
)";

TEST(Defaults, AreShownAndWhatHasNoneMustBeGiven) {
  const auto model = read_interface_model(
      R"(interface: n.Numbers/1
messages: [hector/hints/n.defaults.proto]
operations:
  take: {kind: rpc, in: n.In, out: n.Out}
)",
      "n.hector.yaml", "hector/hints/n.defaults.proto", R"(syntax = "proto2"; package n;
message In {
  optional int64 must = 1;
  optional int64 number = 2 [default = -2];
  optional string text = 3 [default = "you"];
  optional double real = 4 [default = inf];
  optional bytes octets = 5 [default = "\377"];
  oneof _maybe { int64 maybe = 6; }
}
message Out { })");
  ASSERT_TRUE(model) << model.error().text();
  const ModelInterface interface(*model);
  const auto codec = MessageCodec::of(interface);
  ASSERT_TRUE(codec);
  const auto fields = (*codec)->input_fields(*interface.find("take"));
  ASSERT_EQ(fields.size(), 6U);
  EXPECT_FALSE(fields[0].is_optional);
  EXPECT_FALSE(fields[0].fallback);
  for (std::size_t i = 1; i < fields.size(); ++i) EXPECT_TRUE(fields[i].is_optional) << i;
  EXPECT_EQ(fields[1].fallback, Value::of(-2));
  EXPECT_EQ(fields[2].fallback, Value::of("you"));
  EXPECT_EQ(fields[3].fallback, Value::of(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(fields[4].fallback, Value::octets("\xff"));
  EXPECT_FALSE(fields[5].fallback);
  Arguments arguments;
  EXPECT_FALSE((*codec)->request_of(*interface.find("take"), arguments)) << "'must' is missing";
  arguments.keywords.put("must", Value::of(1));
  const auto request = (*codec)->request_of(*interface.find("take"), arguments);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->view(), "\x08\x01") << "the callee knows the defaults";
}

class NumbersTest : public ::testing::Test {
 public:
  NumbersTest() {
    auto model = read_interface_model(kNumbersYaml, "n.hector.yaml", "n.proto", kNumbersProto);
    EXPECT_TRUE(model) << model.error().text();
    interface = std::make_unique<ModelInterface>(*model);
  }
  /// What becomes of the fields on their way through a message; an error's text.
  Value through(const Value& fields, BytesText texts) {
    const auto& operation = *interface->find("take");
    const auto codec = MessageCodec::of(*interface, texts);
    EXPECT_TRUE(codec);
    Arguments arguments{{}, fields};
    for (const char* name : {"count", "octets", "real", "small"}) {
      if (fields.find(name) == nullptr)
        arguments.keywords.put(name, std::string(name) == "octets" ? Value::of("") : Value::of(0));
    }
    auto request = (*codec)->request_of(operation, arguments);
    if (!request) return Value::of(std::string_view(request.error().message));
    return (*codec)->fields_of_request(operation, *request).value();
  }
  Value field(const char* name, Value value, BytesText texts = BytesText::kBase64) {
    Value fields = Value::map();
    fields.put(name, std::move(value));
    const Value made = through(fields, texts);
    const Value* const found = made.find(name);
    return found == nullptr ? made : *found;
  }
  std::unique_ptr<ModelInterface> interface;
};

TEST_F(NumbersTest, AnUnsignedIntegerOf64BitsIsKept) {
  for (const std::uint64_t number : {0ULL, 9007199254740993ULL, 9223372036854775807ULL,
                                     9223372036854775808ULL, 18446744073709551615ULL})
    EXPECT_EQ(field("count", Value::of_unsigned(number)), Value::of_unsigned(number)) << number;
  const auto longer = Value::tagged(kPositiveBignum, Value::octets(std::string("\0\1", 2)));
  EXPECT_EQ(field("count", longer), Value::of(1)) << "zeros before it";
}

TEST_F(NumbersTest, AnIntegerThatDoesNotFitIsRefusedNotBent) {
  const auto large = Value::tagged(kPositiveBignum, Value::octets("123456789"));
  const auto negative = Value::tagged(kNegativeBignum, Value::octets("12345678"));
  for (const auto& value : {large, negative, Value::of(-1), Value::of(0.5), Value::of(1e19)})
    EXPECT_TRUE(field("count", value).is(Value::Kind::kText)) << value.print();
  for (const auto& value : {large, negative, Value::of_unsigned(9223372036854775808ULL)})
    EXPECT_TRUE(field("small", value).is(Value::Kind::kText)) << value.print();
  EXPECT_EQ(field("real", Value::of_unsigned(9223372036854775808ULL)), Value::of(0x1p63));
  EXPECT_EQ(field("real", negative), Value::of(-3544952156018063160.0 - 1));
}

TEST_F(NumbersTest, OctetsAreBase64WhereTextsAreAllThereIs) {
  const Value octets = Value::octets(std::string_view("\x00\xff\x10", 3));
  EXPECT_EQ(field("octets", Value::of("AP8Q")), octets);
  EXPECT_EQ(field("octets", Value::of("")), Value::octets(""));
  EXPECT_EQ(field("octets", Value::of("YQ==")), Value::octets("a"));
  EXPECT_EQ(field("octets", Value::of("YWE=")), Value::octets("aa"));
  EXPECT_EQ(field("octets", octets), octets);
  EXPECT_EQ(field("octets", Value::of("AP8Q"), BytesText::kAsTheyAre), Value::octets("AP8Q"));
  for (const char* wrong : {"AP8", "A", "AP8Q=", "=AP8", "AP8*", "AP 8", "AP8Q\n", "===="})
    EXPECT_TRUE(field("octets", Value::of(wrong)).is(Value::Kind::kText)) << wrong;
}

}  // namespace
}  // namespace hector::objects
