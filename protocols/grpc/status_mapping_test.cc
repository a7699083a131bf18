// What: tests of errors, session messages and metadata between Hector and gRPC.
// Why: another capsule must get the whole Error, any gRPC client the part that it understands.
// Who: ctest, in grpc_test.
#include "status_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::grpcp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
grpc::Status to_status(const Error& error) {
  return ending_of(error, {}, Reader::kAnyClient).status;
}

using Trailing = std::multimap<grpc::string_ref, grpc::string_ref>;

TEST(GrpcStatus, HasTheNumberAndTheMessageOfTheError) {
  for (std::uint32_t number = 1; number <= 16; ++number) {
    const auto status = to_status({code_from_number(number), "why"});
    EXPECT_EQ(static_cast<std::uint32_t>(status.error_code()), number);
    EXPECT_EQ(status.error_message(), "why");
    EXPECT_EQ(to_error(status, {}).code, code_from_number(number));
  }
}

TEST(GrpcStatus, CarriesADeclaredErrorAsRichDetails) {
  const auto status = to_status(
      Error::failed_precondition("busy").with_type("diary.Busy").with_detail("\x0a\x01x"));
  EXPECT_THAT(status.error_details(), HasSubstr("type.googleapis.com/diary.Busy"));
  EXPECT_THAT(status.error_details(), HasSubstr("busy"));
  EXPECT_EQ(to_status(Error::internal("x").with_detail("as it is")).error_details(), "as it is");
}

/// As RFC 9113 counts it and gRPC sends it.
std::size_t size_of(const Ending& ending) {
  std::size_t size = 0;
  const auto add = [&](std::size_t name, std::size_t value) { size += name + value + 32; };
  std::size_t text = 0;
  for (const char octet : ending.status.error_message())
    text += octet < 0x20 || octet > 0x7e || octet == '%' ? 3 : 1;
  add(sizeof "grpc-message", text);
  add(sizeof "grpc-status-details-bin", (ending.status.error_details().size() + 2) / 3 * 4);
  for (const auto& [name, value] : ending.trailing)
    add(name.size(), name.ends_with("-bin") ? (value.size() + 2) / 3 * 4 : value.size());
  return size;
}

TEST(GrpcStatus, AnErrorFitsWhatAnyClientTakesHoweverLongItIs) {
  constexpr std::size_t kClientTakes = 8 * 1024 - 256;
  for (const std::string letter : {"x", "ж", "😀", "%", "\n", "\xff"}) {
    for (const std::size_t octets : {0, 100, 2'700, 3'000, 4'000, 6'500, 7'200, 8'192}) {
      std::string text;
      while (text.size() + letter.size() <= octets) text += letter;
      for (const std::size_t detail : {0, 10, 4'000, 5'500, 8'000, 65'536}) {
        const Error error = Error::invalid_argument(text)
                                .with_type("diary.Busy")
                                .with_detail(std::string(detail, 'd'))
                                .with_reasons({std::string(2'000, 'r')});
        const auto ending =
            ending_of(error, {{"k", std::string(3'000, 'v')}, {"l", "v"}}, Reader::kAnyClient);
        EXPECT_LT(size_of(ending), kClientTakes) << letter << octets << " " << detail;
        EXPECT_EQ(ending.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
        const std::string& told = ending.status.error_message();
        EXPECT_THAT(
            told, ::testing::StartsWith(text.substr(
                      0, std::min<std::size_t>(text.size(), 300) / letter.size() * letter.size())));
        if (told.size() < text.size()) EXPECT_THAT(told, HasSubstr("[cut]"));
        if (detail > 0 && detail <= 4'000)
          EXPECT_THAT(ending.status.error_details(), HasSubstr("diary.Busy"));
        if (detail > 6'000) EXPECT_THAT(told, HasSubstr("do not fit"));
      }
    }
  }
}

TEST(GrpcStatus, ACapsuleGetsTheWholeOfTheLongestError) {
  const Error sent = Error::not_found(std::string(8'192, 'x'))
                         .with_type(std::string(8'192, 't'))
                         .with_detail(std::string(65'536, 'd'))
                         .with_reasons(std::vector<std::string>(4, std::string(8'192, 'r')));
  const auto ending = ending_of(sent, {{"k", "v"}}, Reader::kCapsule);
  EXPECT_LT(size_of(ending), kMetadataOctetsMax);
  ASSERT_EQ(ending.trailing.size(), 2U);
  const Trailing trailing{{kErrorKey, ending.trailing[0].second}};
  const Error read = to_error(ending.status, trailing);
  EXPECT_EQ(read.message, sent.message);
  EXPECT_EQ(read.detail, sent.detail);
  EXPECT_EQ(read.reasons, sent.reasons);
}

TEST(GrpcStatus, ACapsulesErrorIsTakenFromTheTrailingMetadata) {
  const Error sent = Error::not_found("no Object").with_type("t").with_reasons({"a", "b"});
  std::string octets;
  encode_outcome(&sent, {}, octets);
  const Trailing trailing{{kErrorKey, octets}};
  const Error read = to_error({grpc::StatusCode::UNKNOWN, "less"}, trailing);
  EXPECT_EQ(read.code, Code::kNotFound);
  EXPECT_EQ(read.type, "t");
  EXPECT_THAT(read.reasons, ElementsAre("a", "b"));
}

TEST(GrpcStatus, TrailingMetadataThatAreMalformedAreIgnored) {
  const Trailing trailing{{kErrorKey, "\xff\xff\xff"}};
  const Error read = to_error({grpc::StatusCode::ABORTED, "as gRPC says"}, trailing);
  EXPECT_EQ(read.code, Code::kAborted);
  EXPECT_EQ(read.message, "as gRPC says");
}

TEST(GrpcStatus, OnlyWithoutAConnectionNothingWasExecuted) {
  const auto type_of = [](const char* message) {
    return to_error({grpc::StatusCode::UNAVAILABLE, message}, {}).type;
  };
  EXPECT_EQ(type_of("failed to connect to all addresses; last error: refused"), kNotExecuted);
  EXPECT_EQ(type_of("Socket closed"), "");
}

Header header() {
  Header made;
  made.session = 7;
  made.operation = 3;
  made.principal = "alice";
  return made;
}
Bytes session_message(const Bytes& payload) {
  auto buffer = to_session_buffer(header(), TimePoint{}, payload);
  return to_bytes(buffer);
}

TEST(GrpcSession, AMessageSurvivesItsWayShortAndLong) {
  for (const std::size_t size : {0U, 1U, 512U, 513U, 100'000U}) {
    const std::string payload(size, 'p');
    Header read;
    const auto body = from_session_buffer(session_message(Bytes::copy(payload)), TimePoint{}, read);
    ASSERT_TRUE(body) << body.error().text();
    EXPECT_EQ(body->size(), size);
    EXPECT_TRUE(body->view() == payload);
    EXPECT_EQ(read.session, 7U);
    EXPECT_EQ(read.operation, 3U);
    EXPECT_EQ(read.principal, "alice");
  }
}

TEST(GrpcSession, AMessageThatIsCutIsRefused) {
  const Bytes whole = session_message({});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Header read;
    const auto refused = from_session_buffer(whole.slice(0, size), TimePoint{}, read);
    ASSERT_FALSE(refused) << size;
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  }
}

TEST(GrpcMetadata, WithoutWhatBelongsToTheProtocols) {
  Metadata taken;
  take_metadata({{"user-key", "value"},
                 {"grpc-timeout", "1S"},
                 {"hector-object", "x"},
                 {":path", "/"},
                 {"user-agent", "x"},
                 {"traceparent", "00"}},
                taken);
  EXPECT_THAT(taken, ElementsAre(Pair("user-key", "value")));
}

}  // namespace
}  // namespace hector::grpcp
