// What: signatures and digests, with the vectors of RFC 8032 and FIPS 180-4.
// Why: a bundle or a module counts only if it is what its signer signed.
// Who: ctest, in service_state_test.
#include "state/signature.h"

#include <gtest/gtest.h>

namespace hector::state {
namespace {

std::string from_hex(const std::string& digits) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    octets += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return octets;
}

/// RFC 8032, 7.1, test 2: the message is one octet, 0x72.
const std::string kKey =
    from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
const std::string kSignature = from_hex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");

TEST(Signature, HoldsForWhatWasSigned) { EXPECT_TRUE(is_signed_by(kKey, "r", kSignature)); }

TEST(Signature, HoldsForNothingElse) {
  EXPECT_FALSE(is_signed_by(kKey, "s", kSignature));
  EXPECT_FALSE(is_signed_by(kKey, "", kSignature));
  std::string other = kSignature;
  other[40] = static_cast<char>(other[40] ^ 1);
  EXPECT_FALSE(is_signed_by(kKey, "r", other));
  std::string key = kKey;
  key[0] = static_cast<char>(key[0] ^ 1);
  EXPECT_FALSE(is_signed_by(key, "r", kSignature));
}

TEST(Signature, HoldsForNoKeyAndNoSignatureOfAnotherSize) {
  EXPECT_FALSE(is_signed_by("", "r", kSignature));
  EXPECT_FALSE(is_signed_by(kKey.substr(1), "r", kSignature));
  EXPECT_FALSE(is_signed_by(kKey, "r", ""));
  EXPECT_FALSE(is_signed_by(kKey, "r", kSignature + "x"));
}

TEST(Signature, KeysAreReadFromBase64) {
  EXPECT_EQ(from_base64("PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=").substr(0, 32), kKey);
  EXPECT_EQ(from_base64("no base64!"), "");
}

TEST(Digest, IsSha256) {
  EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace hector::state
