// What: tests of Value.
// Why: equality, sets and UTF-8 decide what a foreign caller's value becomes here.
// Who: ctest, in foreign_objects_test.
#include "objects/value.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hector::objects {
namespace {

TEST(Value, FindsTheTextKeysOfAMapOnly) {
  Value map = Value::map();
  map.put("a", Value::of(1));
  map.put("b", Value::null());
  ASSERT_NE(map.find("a"), nullptr);
  EXPECT_EQ(map.find("a")->integer, 1);
  ASSERT_NE(map.find("b"), nullptr) << "a null is there";
  EXPECT_EQ(map.find("c"), nullptr);
  EXPECT_EQ(Value::of("a").find("a"), nullptr);
  EXPECT_EQ(Value::list({Value::of("a"), Value::of(1)}).find("a"), nullptr);
}

TEST(Value, TakesASetForTheListOfItsItems) {
  const Value list = Value::list({Value::of(1), Value::of(2)});
  EXPECT_EQ(list.elements().size(), 2U);
  EXPECT_EQ(Value::tagged(kSetTag, list).elements().size(), 2U);
  EXPECT_TRUE(Value::tagged(99, list).elements().empty());
  EXPECT_TRUE(Value::of("text").elements().empty());
}

TEST(Value, IsEqualByKindAndContent) {
  EXPECT_EQ(Value::of(1), Value::of(1));
  EXPECT_FALSE(Value::of(1) == Value::of(1.0)) << "an integer is no real";
  EXPECT_FALSE(Value::of("a") == Value::octets("a"));
  EXPECT_EQ(Value::of(std::nan("")), Value::of(std::nan("")));
  EXPECT_FALSE(Value::tagged(1, Value::null()) == Value::tagged(2, Value::null()));
  EXPECT_FALSE(Value::list({Value::of(1)}) == Value::list({Value::of(2)}));
}

TEST(Value, PrintsItselfShort) {
  Value map = Value::map();
  map.put("list", Value::list({Value::of(1), Value::of(2.5), Value::of(true), Value::null()}));
  map.put("octets", Value::octets("abc"));
  EXPECT_EQ(map.print(), "{'list': [1, 2.5, true, null], 'octets': 3 octets}");
  EXPECT_LT(Value::list(std::vector<Value>(10'000, Value::of("x"))).print().size(), 300U);
}

TEST(Utf8, IsCheckedAtEachBorderOfItsLengths) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("\xC2\x80"));
  EXPECT_TRUE(is_utf8("\xEF\xBF\xBF"));
  EXPECT_TRUE(is_utf8("\xF4\x8F\xBF\xBF")) << "U+10FFFF, the last one";
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xC1\xBF")) << "longer than it has to be";
  EXPECT_FALSE(is_utf8("\xE0\x9F\xBF"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80")) << "half of a surrogate pair";
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_FALSE(is_utf8("a\xE2\x82")) << "cut";
}

}  // namespace
}  // namespace hector::objects
