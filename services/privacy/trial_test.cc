#include "trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::privacy {

namespace {

using testing::HasSubstr;
using testing::Not;

class TrialTest : public testing::Test {
 protected:
  /// The answer, or "no step: " and why.
  std::string run(const std::string& line) {
    auto answer = trial_.run(line);
    return answer ? *answer : "no step: " + answer.error().message;
  }
  Trial trial_;
};

TEST_F(TrialTest, AnswersWithWhatLaterStepsReferTo) {
  EXPECT_THAT(run(R"({"create_keyset": {"name": "k", "template": "XCHACHA20"}})"),
              HasSubstr(R"({"version":1,"key_id":)"));
  EXPECT_THAT(run(R"({"encrypt": {"keyset": "k", "plaintext": "aGk=", "aad": ""}})"),
              HasSubstr(R"("version":1})"));
  EXPECT_EQ(run(R"({"decrypt": {"keyset": "k", "ciphertext": "$2", "aad": ""}})"),
            R"({"plaintext":"aGk=","version":1})");
  EXPECT_THAT(run(R"({"encrypt": {"keyset": "k", "plaintext": "$3", "aad": ""}})"),
              HasSubstr("ciphertext"));
}

TEST_F(TrialTest, TellsAnErrorByItsName) {
  const auto answer = run(R"({"shred": {"subject": "ann"}})");
  EXPECT_EQ(answer, R"({"result":"done"})");
  EXPECT_THAT(run(R"({"rotate": {"keyset": "k"}})"), HasSubstr(R"({"error":"KEY_UNKNOWN",)"));
}

TEST_F(TrialTest, RefusesALineThatIsNoStep) {
  for (const std::string line :
       {"",
        "x",
        "[]",
        "1",
        "{}",
        R"({"nothing": {}})",
        R"({"shred": "ann"})",
        R"({"shred": {"subject": "a"}, "advance": 1})",
        R"({"advance": 1, "advance": 2})",
        R"({"advance": "1"})",
        R"({"advance": 1.5})",
        R"({"shred": {}})",
        R"({"shred": {"subject": 1}})",
        R"({"shred": {"subject": "a", "subject": "b"}})",
        R"({"shred": {"subject": "a", "x": 1}})",
        R"({"rotate": {"keyset": "k"}} x)",
        "{\"shred\": {\"subject\": \"\xff\"}}",
        R"({"unwrap": {"keyset": "k", "wrapped": "aGk"}})",
        R"({"unwrap": {"keyset": "k", "wrapped": "aGl="}})",
        R"({"unwrap": {"keyset": "k", "wrapped": "aG k="}})",
        R"({"unwrap": {"keyset": "k", "wrapped": "__8="}})",
        R"({"unwrap": {"keyset": "k", "wrapped": "$1"}})",
        R"({"unwrap": {"keyset": "k", "wrapped": "$0"}})",
        R"({"unwrap": {"keyset": "k", "wrapped": "$999999999999"}})",
        R"({"encrypt": {"keyset": "k", "plaintext": "", "aad": {"service": "a", "path": "b"}}})",
        R"({"encrypt": {"keyset": "k", "plaintext": "", "aad": 1}})",
        R"({"encrypt": {"keyset": "k", "plaintext": ""}})",
        R"({"destroy": {"keyset": "k", "version": 1, "delay_s": 86400, "force": 1}})",
        R"({"seal": {"recipients": [1], "plaintext": ""}})"})
    EXPECT_THAT(run(line), HasSubstr("no step: ")) << line;
}

TEST_F(TrialTest, JudgesTheLineBeforeTheState) {
  EXPECT_THAT(run(R"({"rotate": {"keyset": "k", "key_id": -1, "key": "?"}})"),
              HasSubstr("no step"));
  EXPECT_THAT(run(R"({"rotate": {"keyset": "k", "key_id": -1}})"), HasSubstr("INVALID_ARGUMENT"));
  EXPECT_THAT(run(R"({"rotate": {"keyset": "k", "key_id": 4294967296}})"),
              HasSubstr("INVALID_ARGUMENT"));
}

TEST_F(TrialTest, WritesAPlaceAsOctets) {
  EXPECT_EQ(octets_of_place("ab", "c", 258),
            std::string("\0\0\0\2ab\0\0\0\1c\0\0\0\0\0\0\1\2", 19));
  run(R"({"create_keyset": {"name": "k", "template": "AES_SIV_DET"}})");
  const auto by_object = run(R"({"encrypt": {"keyset": "k", "plaintext": "", )"
                             R"("aad": {"service": "ab", "path": "c", "rev": 258}}})");
  EXPECT_EQ(run(R"({"encrypt": {"keyset": "k", "plaintext": "", )"
                R"("aad": "AAAAAmFiAAAAAWMAAAAAAAABAg=="}})"),
            by_object);
}

TEST_F(TrialTest, SaysWhatAReaderWasGiven) {
  const auto answer = run(R"({"open": {"identities": [], "ciphertext": "YWdl"}})");
  EXPECT_THAT(answer, HasSubstr(R"("error":"MALFORMED")"));
  EXPECT_THAT(answer, HasSubstr(R"("released":0})"));
}

TEST_F(TrialTest, ShowsADataKeyOnlyWhereItIsAskedTo) {
  run(R"({"create_keyset": {"name": "k", "template": "AES256_GCM"}})");
  EXPECT_THAT(run(R"({"datakey": {"keyset": "k", "bits": 128}})"), Not(HasSubstr("plaintext")));
  EXPECT_THAT(run(R"({"datakey": {"keyset": "k", "bits": 128, "plaintext": true}})"),
              HasSubstr("plaintext"));
  EXPECT_THAT(run(R"({"unwrap": {"keyset": "k", "wrapped": "$3"}})"), HasSubstr("plaintext"));
}

}  // namespace

}  // namespace hector::privacy
