// What: tests of JSON-RPC 2.0 and 1.0: requests to answers, and answers to results.
// Why: the error numbers and the presence of `id` and `jsonrpc` are what clients look at.
// Who: ctest, in zeromq_wire_test.
#include "rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::zeromq {
namespace {

using objects::Arguments;
using ::testing::HasSubstr;

/// The answer of a server with "add" (two positional ones), "fail" and nothing else.
std::string answer(const std::string& text) {
  std::string answered = "never";
  answer_rpc(
      text,
      [](const std::string& method, const Arguments& arguments, const RpcDone& done) {
        if (method == "fail") return done(hector::fail(Error::not_found("no such thing")));
        if (method == "type")
          return done(hector::fail(Error::invalid_argument("bad").with_type("TypeError")));
        if (method != "add") return done(hector::fail(Error::unimplemented("no method " + method)));
        std::int64_t sum = 0;
        for (const auto& each : arguments.positional) sum += each.integer;
        for (const auto& each : arguments.keywords.items) sum += each.integer;
        done(Value::of(sum));
      },
      [&](std::string made) { answered = std::move(made); });
  return answered;
}

TEST(Rpc, AnswersByPositionAndByName) {
  EXPECT_EQ(answer(R"({"jsonrpc": "2.0", "id": 1, "method": "add", "params": [1, 2]})"),
            R"({"jsonrpc": "2.0", "result": 3, "id": 1})");
  EXPECT_EQ(answer(R"({"jsonrpc": "2.0", "id": "x", "method": "add", "params": {"a": 4}})"),
            R"({"jsonrpc": "2.0", "result": 4, "id": "x"})");
  EXPECT_EQ(answer(R"({"jsonrpc": "2.0", "id": 1, "method": "add"})"),
            R"({"jsonrpc": "2.0", "result": 0, "id": 1})");
}

std::string answer_to_id(const std::string& id) {
  return answer(R"({"jsonrpc": "2.0", "method": "add", "params": [3], "id": )" + id + "}");
}

TEST(Rpc, AnAnswersIdIsTheRequests) {
  for (const char* id :
       {"0", "-1", "\"\"", "\"1\"", "null", "1.5", "-0.25", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "-9223372036854775809", "1234567890123456789012345678901234567890"})
    EXPECT_EQ(answer_to_id(id),
              R"({"jsonrpc": "2.0", "result": 3, "id": )" + std::string(id) + "}");
}

TEST(Rpc, AnIdThatIsNoneIsRefusedWithNull) {
  for (const char* id : {"{}", "[1]", "[]", "true", "false", "{\"a\": 1}", "1e999", "-1e999"}) {
    const std::string refused = answer_to_id(id);
    EXPECT_THAT(refused, HasSubstr("\"code\": -32600")) << id;
    EXPECT_THAT(refused, ::testing::EndsWith("\"id\": null}")) << id;
  }
}

TEST(Rpc, AnswersVersion1WithResultAndError) {
  EXPECT_EQ(answer(R"({"id": 1, "method": "add", "params": [1]})"),
            R"({"result": 1, "error": null, "id": 1})");
}

TEST(Rpc, SaysNothingToANotification) {
  EXPECT_EQ(answer(R"({"jsonrpc": "2.0", "method": "fail"})"), "");
  EXPECT_EQ(answer(R"({"id": null, "method": "fail", "params": []})"), "");
  EXPECT_THAT(answer(R"({"jsonrpc": "2.0", "id": null, "method": "fail"})"), HasSubstr("error"))
      << "in 2.0 a null is an id";
}

TEST(Rpc, NumbersErrorsAsTheSpecificationDoes) {
  EXPECT_THAT(answer("{"), HasSubstr("\"code\": -32700"));
  EXPECT_THAT(answer("7"), HasSubstr("\"code\": -32600"));
  EXPECT_THAT(answer(R"({"jsonrpc": "1.5", "id": 1, "method": "add"})"), HasSubstr("-32600"));
  EXPECT_THAT(answer(R"({"jsonrpc": "2.0", "id": 1})"), HasSubstr("-32600"));
  EXPECT_THAT(answer(R"({"jsonrpc": "2.0", "id": [], "method": "add"})"), HasSubstr("-32600"));
  EXPECT_THAT(answer(R"({"jsonrpc": "2.0", "id": 1, "method": "none"})"), HasSubstr("-32601"));
  EXPECT_THAT(answer(R"({"jsonrpc": "2.0", "id": 1, "method": "type"})"), HasSubstr("-32602"));
  EXPECT_THAT(answer(R"({"jsonrpc": "2.0", "id": 1, "method": "fail"})"), HasSubstr("-32000"));
}

TEST(Rpc, AnswersABatchInItsOrderWithoutItsNotifications) {
  EXPECT_EQ(
      answer(R"([{"jsonrpc": "2.0", "id": 1, "method": "add", "params": [1]},
                       {"jsonrpc": "2.0", "method": "add"},
                       {"jsonrpc": "2.0", "id": 2, "method": "add", "params": [2]}])"),
      R"([{"jsonrpc": "2.0", "result": 1, "id": 1}, {"jsonrpc": "2.0", "result": 2, "id": 2}])");
  EXPECT_EQ(answer(R"([{"jsonrpc": "2.0", "method": "add"}])"), "");
}

TEST(Rpc, ABatchHasItsMaximumOfRequestsAndNoMore) {
  const auto batch = [](std::size_t count) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i)
      text += std::string(i == 0 ? "" : ",") + R"({"jsonrpc": "2.0", "method": "add"})";
    return text + "]";
  };
  EXPECT_EQ(answer(batch(kBatchMax)), "");
  EXPECT_THAT(answer(batch(kBatchMax + 1)), HasSubstr("-32600"));
  EXPECT_THAT(answer("[]"), HasSubstr("-32600"));
}

TEST(RpcAnswer, GivesResultAndErrorBack) {
  const auto good =
      read_rpc_answer(answer(write_rpc_request(7, "add", {{Value::of(1)}, Value::map()})));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->id, 7U);
  EXPECT_EQ(good->result->integer, 1);
  const auto missing = read_rpc_answer(answer(write_rpc_request(8, "none", {})));
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->result.error().code, Code::kUnimplemented);
  const auto bad = read_rpc_answer(answer(write_rpc_request(9, "type", {})));
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->result.error().code, Code::kInvalidArgument);
  EXPECT_EQ(bad->result.error().type, "TypeError");
}

TEST(RpcAnswer, IsNoneWithoutAnIdOfOurs) {
  EXPECT_FALSE(read_rpc_answer("{"));
  EXPECT_FALSE(read_rpc_answer(R"({"result": 1})"));
  EXPECT_FALSE(read_rpc_answer(R"({"id": "1", "result": 1})"));
  EXPECT_FALSE(read_rpc_answer(R"({"id": -1, "result": 1})"));
  EXPECT_FALSE(read_rpc_answer(R"({"id": 1})")) << "neither result nor error";
  EXPECT_TRUE(read_rpc_answer(R"({"id": 1, "result": null})"));
}

}  // namespace
}  // namespace hector::zeromq
