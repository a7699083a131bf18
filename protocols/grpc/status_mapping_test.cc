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
