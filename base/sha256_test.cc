// What: sha256_hex with the vectors of FIPS 180-4.
// Why: types, modules and blobs are known by their digests.
// Who: base_test.
#include "hector/sha256.h"

#include <gtest/gtest.h>

namespace hector {
namespace {

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TakesOctetsOfAnyValue) {
  EXPECT_NE(sha256_hex(std::string_view("\0", 1)), sha256_hex(""));
  EXPECT_EQ(sha256_hex(std::string_view("\xff\0\x80", 3)).size(), 64U);
}

}  // namespace
}  // namespace hector
