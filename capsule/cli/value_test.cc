// What: one value in every format.
// Why: scripts read what is printed; a number has to stay one.
// Who: cli_test.
#include "cli/value.h"

#include <gtest/gtest.h>

#include "hector/management/v1/management.pb.h"

namespace hector {

namespace {

namespace m = management::v1;

m::CreateRequest request() {
  m::CreateRequest made;
  made.set_template_("a.B");
  made.set_name("x");
  (*made.mutable_properties())["z"] = "1";
  (*made.mutable_properties())["a"] = "\"t\"";
  made.set_state(std::string("\0\xff", 2));
  return made;
}

TEST(Value, HasAMessagesFieldsByTheirNamesAndDefaultsToo) {
  EXPECT_EQ(json_line(Value::of(request())),
            R"({"template": "a.B", "name": "x", "arguments": "", "properties": {"a": "\"t\"", )"
            R"("z": "1"}, "is_successor": false, "has_state": false, "state": "AP8="})");
}

TEST(Value, KeepsNumbersBeyond53BitsAsNumbers) {
  m::CallRequest call;
  call.set_timeout_ms(9007199254740993ULL);
  EXPECT_EQ(json_line(Value::of(call)),
            R"({"target": "", "operation": "", "json": "", "timeout_ms": 9007199254740993})");
  EXPECT_EQ(json_line(Value::from_json("{\"n\": 9007199254740993, \"t\": \"12\", \"u\": null}")),
            R"({"n": 9007199254740993, "t": "12", "u": null})");
}

TEST(Value, IsWrittenForPeopleOverSeveralLines) {
  auto value = Value::map();
  value.with("a", Value::texts({"x", "y"})).with("b", Value::map()).with("c", Value::plain("1"));
  EXPECT_EQ(json_text(value),
            "{\n  \"a\": [\n    \"x\",\n    \"y\"\n  ],\n  \"b\": {},\n  \"c\": 1\n}\n");
}

TEST(Value, IsYamlWithTextsInQuotesAndKeysOnlyWhereTheyNeedThem) {
  auto inner = Value::map();
  inner.with("no", "yes").with("a b", Value::plain("2"));
  auto list = Value::list();
  list.add(inner);
  list.add(Value::text("12"));
  list.add(Value::list());
  auto value = Value::map();
  value.with("list", list).with("inner", inner).with("empty", Value::map());
  EXPECT_EQ(yaml_text(value),
            "list:\n"
            "  - \"no\": \"yes\"\n"
            "    \"a b\": 2\n"
            "  - \"12\"\n"
            "  - []\n"
            "inner:\n"
            "  \"no\": \"yes\"\n"
            "  \"a b\": 2\n"
            "empty: {}\n");
  EXPECT_EQ(yaml_text(Value::list()), "[]\n");
  EXPECT_EQ(yaml_text(Value::text("x")), "\"x\"\n");
}

TEST(Value, IsALineForEachEntryOfWhatItIsAbout) {
  m::ListReply reply;
  reply.set_kind("objects");
  reply.add_items()->set_name("ana");
  reply.add_items()->set_name("ben");
  EXPECT_EQ(json_lines(Value::of(reply)),
            "{\"name\": \"ana\", \"fields\": []}\n{\"name\": \"ben\", \"fields\": []}\n");
  EXPECT_EQ(names_text(Value::of(reply)), "ana\nben\n");
  m::LoadReply load;
  load.set_name("udp");
  load.add_effects("it listens");
  EXPECT_EQ(json_lines(Value::of(load)), "{\"name\": \"udp\", \"effects\": [\"it listens\"]}\n");
  EXPECT_EQ(names_text(Value::of(load)), "udp\n");
  EXPECT_EQ(json_lines(Value::list()), "");
  EXPECT_EQ(names_text(Value::of(m::Done())), "\n");
}

}  // namespace

}  // namespace hector
