#include "identity/pem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::identity {

namespace {

using testing::ElementsAre;

const std::string kOne = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";
const std::string kKey = "-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----\n";

}  // namespace

TEST(Pem, GivesTheCertificatesInTheirOrder) {
  EXPECT_THAT(*read_pem_certificates(
                  kOne + "-----BEGIN CERTIFICATE-----\nZG\nVm\n\n-----END CERTIFICATE-----"),
              ElementsAre("abc", "def"));
}

TEST(Pem, PassesOverTextOtherBlocksAndLineEnds) {
  EXPECT_THAT(*read_pem_certificates("subject = a\n\n" + kKey + kOne + "the end"),
              ElementsAre("abc"));
  EXPECT_THAT(*read_pem_certificates(kOne + "-----END CERTIFICATE-----\n"), ElementsAre("abc"));
  EXPECT_THAT(*read_pem_certificates("see -----BEGIN CERTIFICATE----- below\n" + kOne),
              ElementsAre("abc"));
  EXPECT_THAT(*read_pem_certificates(
                  "-----BEGIN CERTIFICATE-----\r\nYWJj\r\n-----END CERTIFICATE-----  \r\n"),
              ElementsAre("abc"));
}

TEST(Pem, OfWhichAPartIsBrokenIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("text"), kKey, kOne + "-----BEGIN CERTIFICATE-----\nYWJj\n",
        kOne + "-----BEGIN CERTIFICATE-----\nYW*j\n-----END CERTIFICATE-----\n",
        kOne + "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        kOne + "-----BEGIN CERTIFICATE----\nYWJj\n-----END CERTIFICATE-----\n",
        kOne + "-----BEGIN PRIVATE KEY-----\n",
        std::string("-----BEGIN CERTIFICATE-----\nYWJj\n-----END PRIVATE KEY-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nYWJj\n") + kOne,
        std::string("-----BEGIN CERTIFICATE-----YWJj-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nA: b\n\nYWJj\n-----END CERTIFICATE-----\n")})
    EXPECT_FALSE(read_pem_certificates(text)) << text;
}

}  // namespace hector::identity
