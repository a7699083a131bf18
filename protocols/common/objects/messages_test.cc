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
    codec = *codec_made;
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
  std::shared_ptr<const MessageCodec> codec;
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

}  // namespace
}  // namespace hector::objects
