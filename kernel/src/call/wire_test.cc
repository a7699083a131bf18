// What: headers and outcomes on the wire: there and back, and every refusal.
// Why: what arrives comes from anybody; a malformed header must be an error, never a guess.
// Who: ctest.
#include <gmock/gmock.h>

#include <string>

#include "hector/message.h"
#include "hector/system.h"

namespace hector {
namespace {

using std::chrono::milliseconds;

const TimePoint kNow{std::chrono::seconds(1'000)};

std::string octets_of(const Header& header) {
  std::string octets;
  encode_header(header, kNow, octets);
  return octets;
}

Code refusal_of(std::string_view octets) {
  Header header;
  const auto used = decode_header(octets, kNow, header);
  return used ? Code::kOk : used.error().code;
}

TEST(Header, SurvivesItsWayToOctetsAndBack) {
  const auto clock = make_system_clock();
  const TimePoint now = clock->now();
  Header header;
  header.offer = 0x1122334455667788;
  header.session = 7;
  header.sequence = 300;
  header.operation = 5;
  header.deadline = now + milliseconds(1500);
  header.trace = *TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  header.principal = "user:ana";
  header.metadata = {{"k", "v"}, {"", std::string(500, 'x')}};
  std::string octets;
  encode_header(header, now, octets);
  Header back;
  ASSERT_EQ(*decode_header(octets, now, back), octets.size());
  EXPECT_EQ(back.offer, header.offer);
  EXPECT_EQ(back.sequence, 300U);
  EXPECT_EQ(back.operation, 5U);
  EXPECT_EQ(back.deadline, header.deadline);
  EXPECT_EQ(back.trace.traceparent(), header.trace.traceparent());
  EXPECT_EQ(back.principal, "user:ana");
  EXPECT_EQ(back.metadata, header.metadata);
  for (std::size_t cut = 0; cut < octets.size(); ++cut)
    EXPECT_FALSE(decode_header(std::string_view(octets).substr(0, cut), now, back)) << cut;
}

TEST(Header, RefusesTraceContextsThatAreNone) {
  for (const char* wrong : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c8031XX-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(TraceContext::parse(wrong)) << wrong;
  }
}

TEST(Outcome, CarriesAnErrorWithEverythingItHas) {
  const Error error{Code::kAborted, "m", "t", std::string("\0d", 2), {"r1", "r2"}};
  std::string octets;
  encode_outcome(&error, {{"a", "b"}}, octets);
  Outcome outcome;
  ASSERT_EQ(*decode_outcome(octets, outcome), octets.size());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->detail, error.detail);
  EXPECT_THAT(outcome.error->reasons, testing::ElementsAre("r1", "r2"));
  EXPECT_EQ(outcome.trailing.size(), 1U);
}

TEST(Header, KeepsNamesWhereItHasNoNumber) {
  Header header;
  header.object = "ana";
  header.interface_name = "diary.Calendar";
  header.operation_name = "add";
  const std::string octets = octets_of(header);
  Header back;
  ASSERT_TRUE(decode_header(octets, kNow, back));
  EXPECT_EQ(back.operation, kByName);
  EXPECT_EQ(back.object, "ana");
  EXPECT_EQ(back.interface_name, "diary.Calendar");
  EXPECT_EQ(back.operation_name, "add");
  EXPECT_EQ(back.deadline, kNever);
}

TEST(Header, SaysHowManyOctetsItUsed) {
  Header header;
  header.operation = 3;
  const std::string octets = octets_of(header);
  Header back;
  EXPECT_EQ(*decode_header(octets + "payload", kNow, back), octets.size());
}

TEST(Header, IsRefusedWithAnotherVersion) {
  std::string octets = octets_of({});
  octets[0] = 2;
  EXPECT_EQ(refusal_of(octets), Code::kInvalidArgument);
  EXPECT_EQ(refusal_of(""), Code::kInvalidArgument);
}

TEST(Header, IsRefusedWithFlagsThatMeanNothing) {
  for (const int flag : {0x40, 0x80}) {
    std::string octets = octets_of({});
    octets[1] = static_cast<char>(octets[1] | flag);
    EXPECT_EQ(refusal_of(octets), Code::kInvalidArgument) << flag;
  }
}

TEST(Header, IsRefusedWithATextOrAnOperationBeyondTheLimit) {
  std::string octets = octets_of({});
  octets.resize(10);  // version, flags, offer; then a text of 8 KiB and one octet
  EXPECT_EQ(refusal_of(octets + "\x81\x40" + std::string(8'193, 'x') + std::string(2, '\0')),
            Code::kInvalidArgument);
  EXPECT_EQ(refusal_of(octets + "\x80\x40" + std::string(8'192, 'x') + std::string(2, '\0')),
            Code::kOk);
  Header numbered;
  numbered.operation = 1;
  octets = octets_of(numbered);
  octets.pop_back();
  EXPECT_EQ(refusal_of(octets + "\xff\xff\xff\xff\x0f"), Code::kInvalidArgument);  // kByName
  EXPECT_EQ(refusal_of(octets + "\xfe\xff\xff\xff\x0f"), Code::kOk);
}

TEST(Header, IsRefusedWithMoreMetadataThanTheLimit) {
  Header header;
  header.operation = 1;
  header.metadata = {{"k", "v"}};
  std::string octets = octets_of(header);
  octets.resize(octets.size() - 5);  // the count and the one entry
  const auto with = [&](int count) {
    std::string many = octets;
    many += static_cast<char>(count | 0x80);
    many += static_cast<char>(count >> 7);
    for (int i = 0; i < count; ++i) many += std::string("\1k\1v");
    return many;
  };
  EXPECT_EQ(refusal_of(with(128)), Code::kOk);
  EXPECT_EQ(refusal_of(with(129)), Code::kInvalidArgument);
}

TEST(Header, IsRefusedWhenItsDeadlineWasOver) {
  Header header;
  header.operation = 1;
  header.deadline = kNow - milliseconds(1);
  EXPECT_EQ(refusal_of(octets_of(header)), Code::kDeadlineExceeded);
}

TEST(Outcome, IsCutNowhere) {
  const Error error{Code::kAborted, "m", "t", "d", {"r1"}};
  std::string octets;
  encode_outcome(&error, {{"a", "b"}}, octets);
  Outcome outcome;
  for (std::size_t cut = 0; cut < octets.size(); ++cut)
    EXPECT_FALSE(decode_outcome(std::string_view(octets).substr(0, cut), outcome)) << cut;
}

TEST(Outcome, OfAGoodCallHasNoError) {
  std::string octets;
  encode_outcome(nullptr, {}, octets);
  Outcome outcome;
  outcome.error = Error::internal("of an earlier use");
  ASSERT_EQ(*decode_outcome(octets, outcome), octets.size());
  EXPECT_FALSE(outcome.error);
  EXPECT_TRUE(outcome.trailing.empty());
}

TEST(Outcome, IsRefusedWithMoreReasonsThanTheLimit) {
  std::string octets("\x0a\0\0\0\x81\x01", 6);  // ABORTED, three empty texts, 129 reasons
  octets += std::string(130, '\0');
  Outcome outcome;
  const auto used = decode_outcome(octets, outcome);
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace hector
