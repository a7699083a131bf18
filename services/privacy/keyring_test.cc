#include "keyring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::privacy {

namespace {

constexpr std::int64_t kDay = 86'400;

template <class T>
std::string error_of(const Result<T>& result) {
  return result ? "" : result.error().type;
}

class KeyringTest : public testing::Test {
 protected:
  void create(const std::string& form = "AES256_GCM", RotateAfter rotate_after = {}) {
    ASSERT_TRUE(ring_.create({"k", form, rotate_after}));
  }
  std::string encrypt(const std::string& subject = "", const std::string& text = "text") {
    auto made = ring_.encrypt({"k", "aad", subject}, text);
    EXPECT_TRUE(made) << error_of(made);
    return made ? made->octets : "";
  }
  std::string decrypt(const std::string& ciphertext, const std::string& subject = "") {
    auto opened = ring_.decrypt({"k", "aad", subject}, ciphertext);
    return opened ? opened->octets : error_of(opened);
  }
  Keyset& keyset() { return **ring_.keyset("k"); }
  std::string destroy(std::int64_t version, std::int64_t delay_s = kDay, bool is_forced = false) {
    return error_of(keyset().destroy({version, delay_s, is_forced}, ring_.now()));
  }
  void advance(std::int64_t seconds) { ring_.set_now(ring_.now() + Moment(seconds)); }
  Keyring ring_;
};

TEST_F(KeyringTest, RevealsWhatEarlierVersionsProtected) {
  create();
  const auto old = encrypt();
  const auto second = ring_.rotate("k");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->number, 2U);
  const auto now = ring_.encrypt({"k", "aad"}, "text");
  EXPECT_EQ(now->version, 2U);
  EXPECT_NE(now->octets.substr(0, 5), old.substr(0, 5));
  EXPECT_EQ(decrypt(old), "text");
  EXPECT_EQ(decrypt(now->octets), "text");
}

TEST_F(KeyringTest, SaysTheSameOfEveryOctetThatWasChanged) {
  for (const auto& form : kTemplates) {
    if (form.signs) continue;
    const std::string name(form.name);
    ASSERT_TRUE(ring_.create({name, name, {}}));
    const auto made = ring_.encrypt({name, "aad"}, "text")->octets;
    const auto refused = ring_.decrypt({name, "other"}, made).error().text();
    for (std::size_t bit = 0; bit < made.size() * 8; ++bit) {
      std::string other = made;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
      const auto opened = ring_.decrypt({name, "aad"}, other);
      ASSERT_FALSE(opened);
      if (bit < 8 || bit >= 40) EXPECT_EQ(opened.error().text(), refused);
    }
    for (std::size_t size = 0; size < made.size(); ++size)
      EXPECT_EQ(ring_.decrypt({name, "aad"}, made.substr(0, size)).error().text(), refused);
    EXPECT_EQ(ring_.decrypt({name, "aad"}, made + "x").error().text(), refused);
  }
}

TEST_F(KeyringTest, AllowsNothingBelowTheLeastVersion) {
  create();
  const auto old = encrypt();
  ASSERT_TRUE(ring_.rotate("k"));
  const auto moved = ring_.rewrap({"k", "aad"}, old);
  EXPECT_EQ(moved->version, 2U);
  EXPECT_TRUE(keyset().set_min_decrypt(2));
  EXPECT_EQ(decrypt(old), kVersionDisallowed);
  EXPECT_EQ(error_of(ring_.rewrap({"k", "aad"}, old)), kVersionDisallowed);
  EXPECT_EQ(decrypt(moved->octets), "text");
  EXPECT_EQ(error_of(keyset().set_primary(1)), kVersionDisallowed);
  EXPECT_TRUE(keyset().set_min_decrypt(1));
  EXPECT_EQ(decrypt(old), "text");
  EXPECT_TRUE(keyset().set_min_encrypt(2));
  EXPECT_EQ(error_of(keyset().set_primary(1)), kVersionDisallowed);
  EXPECT_EQ(decrypt(old), "text");
  for (const std::int64_t none : {-1, 0, 3})
    EXPECT_EQ(error_of(keyset().set_min_decrypt(none)), kInvalidArgument);
}

TEST_F(KeyringTest, KeepsTheLeastVersionBelowThePrimary) {
  create();
  ASSERT_TRUE(ring_.rotate("k"));
  EXPECT_TRUE(keyset().set_primary(1));
  EXPECT_EQ(error_of(keyset().set_min_decrypt(2)), kInvalidArgument);
  EXPECT_EQ(error_of(keyset().set_min_encrypt(2)), kInvalidArgument);
}

TEST_F(KeyringTest, DisablesAndEnables) {
  create();
  const auto old = encrypt();
  EXPECT_TRUE(keyset().disable(1));
  EXPECT_EQ(decrypt(old), kVersionDisallowed);
  EXPECT_EQ(error_of(ring_.encrypt({"k", ""}, "text")), kVersionDisallowed);
  EXPECT_TRUE(keyset().enable(1));
  EXPECT_EQ(decrypt(old), "text");
}

TEST_F(KeyringTest, DestroysAfterADelayInWhichItCanBeTakenBack) {
  create();
  const auto old = encrypt();
  EXPECT_EQ(destroy(1), kStillReferenced);
  ASSERT_TRUE(ring_.rotate("k"));
  EXPECT_EQ(destroy(1, kDay - 1), kInvalidArgument);
  EXPECT_EQ(destroy(1, kDay - 1, true), kInvalidArgument);
  EXPECT_EQ(destroy(3), kInvalidArgument);
  EXPECT_EQ(destroy(1), "");
  EXPECT_EQ(decrypt(old), kVersionDisallowed);
  EXPECT_TRUE(keyset().enable(1));
  advance(2 * kDay);
  EXPECT_EQ(decrypt(old), "text");
  EXPECT_EQ(destroy(1), "");
  advance(kDay - 1);
  EXPECT_EQ(decrypt(old), kVersionDisallowed);
  advance(1);
  EXPECT_EQ(decrypt(old), kKeyDestroyed);
  EXPECT_EQ(error_of(ring_.rewrap({"k", "aad"}, old)), kKeyDestroyed);
  for (const auto change : {&Keyset::enable, &Keyset::disable, &Keyset::set_primary})
    EXPECT_EQ(error_of((keyset().*change)(1)), kKeyDestroyed);
  EXPECT_EQ(destroy(1), kKeyDestroyed);
  EXPECT_EQ(decrypt(old), kKeyDestroyed);
}

TEST_F(KeyringTest, DestroysThePrimaryWhereItIsForced) {
  create();
  EXPECT_EQ(destroy(1, kDay, true), "");
  EXPECT_EQ(error_of(ring_.encrypt({"k", ""}, "text")), kVersionDisallowed);
  advance(kDay);
  EXPECT_EQ(error_of(ring_.encrypt({"k", ""}, "text")), kKeyDestroyed);
  ASSERT_TRUE(ring_.rotate("k"));
  EXPECT_TRUE(ring_.encrypt({"k", ""}, "text"));
}

TEST_F(KeyringTest, RotatesAfterMessages) {
  create("XCHACHA20", {.messages = 3});
  EXPECT_EQ(ring_.encrypt({"k", ""}, "1")->version, 1U);
  EXPECT_TRUE(ring_.make_data_key("k", 256));
  const auto third = ring_.encrypt({"k", ""}, "3");
  EXPECT_EQ(third->version, 1U);
  EXPECT_EQ(error_of(ring_.encrypt({"other", ""}, "4")), kKeyUnknown);
  EXPECT_EQ(ring_.rewrap({"k", ""}, third->octets)->version, 2U);
  EXPECT_EQ(ring_.decrypt({"k", ""}, third->octets)->version, 1U);
}

TEST_F(KeyringTest, RotatesAfterTime) {
  create("AES256_GCM", {.seconds = 100});
  advance(99);
  EXPECT_EQ(ring_.encrypt({"k", ""}, "1")->version, 1U);
  advance(1);
  EXPECT_EQ(ring_.encrypt({"k", ""}, "2")->version, 2U);
  advance(99);
  EXPECT_EQ(ring_.encrypt({"k", ""}, "3")->version, 2U);
}

TEST_F(KeyringTest, RotatesBeforeARandomNonceMayComeTwice) {
  create();
  (*keyset().to_protect())->messages = kMessagesMax - 1;
  EXPECT_EQ(ring_.encrypt({"k", ""}, "the last one")->version, 1U);
  EXPECT_EQ(ring_.encrypt({"k", ""}, "the next one")->version, 2U);
}

TEST_F(KeyringTest, ShredsWhatIsOfASubject) {
  create();
  const auto of_ann = encrypt("ann"), again = encrypt("ann"), of_bob = encrypt("bob"),
             of_none = encrypt();
  EXPECT_EQ(of_ann.substr(0, 5), again.substr(0, 5));
  EXPECT_NE(of_ann.substr(0, 5), of_bob.substr(0, 5));
  EXPECT_EQ(decrypt(of_ann, "ann"), "text");
  EXPECT_EQ(decrypt(of_ann), "text");
  EXPECT_EQ(decrypt(of_ann, "bob"), kAuthFailed);
  EXPECT_EQ(decrypt(of_none, "ann"), kAuthFailed);
  ASSERT_TRUE(ring_.rotate("k"));
  const auto later = ring_.rewrap({"k", "aad"}, of_ann);
  EXPECT_EQ(later->version, 2U);
  EXPECT_EQ(decrypt(later->octets, "ann"), "text");
  ring_.shred("ann");
  for (const auto& gone : {of_ann, again, later->octets}) {
    EXPECT_EQ(decrypt(gone, "ann"), kKeyDestroyed);
    EXPECT_EQ(decrypt(gone), kKeyDestroyed);
    EXPECT_EQ(error_of(ring_.rewrap({"k", "aad"}, gone)), kKeyDestroyed);
  }
  EXPECT_EQ(decrypt(of_bob, "bob"), "text");
  EXPECT_EQ(decrypt(of_none), "text");
  EXPECT_EQ(decrypt(encrypt("ann"), "ann"), "text") << "a new key";
  EXPECT_EQ(decrypt(of_ann, "ann"), kKeyDestroyed);
  ring_.shred("nobody");
}

TEST_F(KeyringTest, HasASubjectsKeyUnderEachVersion) {
  create();
  const auto old = encrypt("ann");
  ASSERT_TRUE(ring_.rotate("k"));
  EXPECT_TRUE(keyset().set_min_decrypt(2));
  EXPECT_EQ(decrypt(old, "ann"), kVersionDisallowed);
  EXPECT_EQ(decrypt(encrypt("ann"), "ann"), "text");
  EXPECT_EQ(destroy(1), "");
  advance(kDay);
  EXPECT_EQ(decrypt(old, "ann"), kKeyDestroyed);
}

TEST_F(KeyringTest, RefusesArgumentsThatAreNone) {
  create();
  EXPECT_EQ(error_of(ring_.create({"k", "AES256_GCM", {}})), kExists);
  EXPECT_EQ(error_of(ring_.create({"k", "AES", {}})), kInvalidArgument);
  EXPECT_EQ(error_of(ring_.create({"", "AES256_GCM", {}})), kInvalidArgument);
  EXPECT_EQ(error_of(ring_.create({std::string(501, 'n'), "AES256_GCM", {}})), kInvalidArgument);
  KnownKey known;
  known.key = Secret::random(31);
  EXPECT_EQ(error_of(ring_.rotate("k", std::move(known))), kInvalidArgument);
  EXPECT_EQ(ring_.encrypt({"k", ""}, "text")->version, 1U) << "what is refused changes nothing";
  EXPECT_EQ(error_of(ring_.make_data_key("k", 192)), kInvalidArgument);
  EXPECT_EQ(error_of(ring_.sign("k", "data")), kInvalidArgument);
  EXPECT_EQ(error_of(ring_.verify("k", "data", "signature")), kInvalidArgument);
  ASSERT_TRUE(ring_.create({"s", "HMAC", {}}));
  EXPECT_EQ(error_of(ring_.encrypt({"s", ""}, "text")), kInvalidArgument);
  EXPECT_EQ(error_of(ring_.decrypt({"s", ""}, "text")), kInvalidArgument);
  EXPECT_EQ(error_of(ring_.make_data_key("s", 256)), kInvalidArgument);
}

TEST_F(KeyringTest, HasNoTwoKeysOfOneId) {
  create();
  KnownKey first, second;
  first.id = second.id = 7;
  EXPECT_EQ(ring_.rotate("k", std::move(first))->id, 7U);
  EXPECT_EQ(error_of(ring_.create({"other", "HMAC", {}}, std::move(second))), kExists);
  EXPECT_EQ(error_of(ring_.keyset("other")), kKeyUnknown);
}

TEST_F(KeyringTest, VerifiesWhatEarlierVersionsSigned) {
  for (const std::string form : {"ED25519", "HMAC"}) {
    ASSERT_TRUE(ring_.create({form, form, {.messages = 1}}));
    const auto first = ring_.sign(form, "data"), second = ring_.sign(form, "data");
    EXPECT_EQ(first->size(), form == "HMAC" ? 37U : 69U);
    EXPECT_NE(first->substr(0, 5), second->substr(0, 5));
    EXPECT_TRUE(ring_.verify(form, "data", *first));
    EXPECT_TRUE(ring_.verify(form, "data", *second));
    EXPECT_EQ(error_of(ring_.verify(form, "date", *first)), kAuthFailed);
    EXPECT_EQ(error_of(ring_.verify(form, "data", first->substr(0, 36))), kAuthFailed);
    EXPECT_EQ(error_of(ring_.verify(form, "data", "")), kAuthFailed);
  }
}

}  // namespace

}  // namespace hector::privacy
