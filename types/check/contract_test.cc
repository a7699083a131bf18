#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/check/conformance.h"
#include "types/model/reader.h"

namespace hector::types {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The reasons why an Interface with these promises may not play a role with these demands.
std::vector<std::string> reasons(const std::string& offered, const std::string& required,
                                 const std::string& of_all = "{}",
                                 const std::string& concurrency = "",
                                 const std::string& demanded = "") {
  const std::string head =
      "messages: [google/protobuf/empty.proto]\noperations:\n  x: {kind: rpc, in: "
      "google.protobuf.Empty, out: google.protobuf.Empty, qos: ";
  auto file = read_types(
      "interface: t.O/1\n" + head + offered + "}\n" +
          (concurrency.empty() ? "" : "concurrency: " + concurrency + "\n") +
          "---\ninterface: t.R/1\n" + head + "{}}\n" +
          (demanded.empty() ? "" : "concurrency: " + demanded + "\n") +
          "---\nbinding: t.B/1\nroles: {p: {interface: t.P/1}, q: {interface: "
          "t.R/1}}\ninteractions:\n  i: {kind: rpc, from: p, to: q, operation: x, qos: " +
          required + "}\nprotocol: i*\nqos: " + of_all + "\n",
      "t.yaml", ".");
  if (!file) return {file.error().message};
  const auto o = CompiledInterface::make(file->interfaces[0]).value(),
             r = CompiledInterface::make(file->interfaces[1]).value();
  std::vector<std::string> texts;
  const auto verdict = check_role(*o, file->bindings[0], 1, *r).value();
  for (const auto& reason : verdict.findings) texts.push_back(reason.rule + ": " + reason.text);
  return texts;
}

TEST(Qos, MeetsWhatIsRequiredDimensionByDimension) {
  EXPECT_THAT(reasons("{}", "{deadline_ms: 200, rate_max: 10, privacy: required}"), IsEmpty())
      << "no promise, nothing refused: it is measured";
  EXPECT_THAT(reasons("{deadline_ms: 200, rate_max: 10, reliability: all, ordering: fifo, "
                      "message_octets_max: 100, cost_max: 1}",
                      "{deadline_ms: 200, rate_max: 10, reliability: all, ordering: fifo, "
                      "message_octets_max: 100, cost_max: 1}"),
              IsEmpty());
  EXPECT_THAT(
      reasons("{deadline_ms: 201}", "{deadline_ms: 200}"),
      ElementsAre(
          "qos: operation 'x' as interaction 'i': deadline_ms 201 offered, at most 200 required"));
  EXPECT_THAT(
      reasons("{rate_max: 9}", "{rate_max: 10}"),
      ElementsAre(
          "qos: operation 'x' as interaction 'i': rate_max 9 offered, at least 10 required"));
  EXPECT_THAT(
      reasons("{reliability: majority}", "{reliability: all}"),
      ElementsAre(
          "qos: operation 'x' as interaction 'i': reliability majority offered, all required"));
  EXPECT_THAT(
      reasons("{ordering: none}", "{ordering: fifo}"),
      ElementsAre("qos: operation 'x' as interaction 'i': ordering none offered, fifo required"));
  EXPECT_THAT(
      reasons("{privacy: none}", "{privacy: required}"),
      ElementsAre(
          "qos: operation 'x' as interaction 'i': privacy none offered, required required"));
  EXPECT_THAT(reasons("{message_octets_max: 99}", "{message_octets_max: 100}"),
              ElementsAre("qos: operation 'x' as interaction 'i': message_octets_max 99 offered, "
                          "at least 100 required"));
  EXPECT_THAT(
      reasons("{cost_max: 2}", "{cost_max: 1}"),
      ElementsAre("qos: operation 'x' as interaction 'i': cost_max 2 offered, at most 1 required"));
  EXPECT_EQ(reasons("{deadline_ms: 300, rate_max: 1}", "{deadline_ms: 200, rate_max: 2}").size(),
            2U)
      << "every dimension that fails is told";
}

TEST(Qos, OfTheBindingHoldsWhereTheInteractionSaysNothing) {
  EXPECT_THAT(
      reasons("{deadline_ms: 300}", "{}", "{deadline_ms: 200}"),
      ElementsAre(
          "qos: operation 'x' as interaction 'i': deadline_ms 300 offered, at most 200 required"));
  EXPECT_THAT(reasons("{deadline_ms: 300}", "{deadline_ms: 400}", "{deadline_ms: 200}"), IsEmpty());
}

TEST(Qos, ConcurrencyPermitsWhatTheRoleDemands) {
  EXPECT_THAT(reasons("{}", "{}", "{}", "{sessions: 4}", "{sessions: 4}"), IsEmpty());
  EXPECT_THAT(reasons("{}", "{}", "{}", "", "{sessions: 4, x: 2}"), IsEmpty()) << "no bound";
  EXPECT_THAT(reasons("{}", "{}", "{}", "{sessions: 3, x: serial}", "{sessions: 4, x: 2}"),
              ElementsAre("concurrency: sessions: 3 permitted, 4 demanded",
                          "concurrency: operation 'x': 1 permitted, 2 demanded"));
}

}  // namespace
}  // namespace hector::types
