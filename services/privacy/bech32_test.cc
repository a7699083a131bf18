#include "bech32.h"

#include <gtest/gtest.h>

#include "age_keys.h"
#include "hpke.h"
#include "testing.h"

namespace hector::privacy {

namespace {

TEST(Bech32, ReadsWhatBip173CallsValid) {
  const auto empty = bech32_decode("A12UEL5L");
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->name, "a");
  EXPECT_EQ(empty->octets, "");
  const auto all = bech32_decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw");
  ASSERT_TRUE(all);
  EXPECT_EQ(to_hex(all->octets), "00443214c74254b635cf84653a56d7c675be77df");
}

TEST(Bech32, RefusesWhatBip173CallsInvalid) {
  for (const std::string text :
       {"\x20"
        "1nwldj5",
        "\x7f"
        "1axkwrx",
        "\x80"
        "1eym55h",
        "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "de1lg7wt\xff", "A1G7SGD8",
        "10a06t8", "1qzzfhee", "a12UEL5L", "", "1", "a1"})
    EXPECT_FALSE(bech32_decode(text)) << text;
}

TEST(Bech32, RefusesPaddingThatCounts) {
  // One octet takes two groups and two bits of padding.
  EXPECT_TRUE(bech32_decode(bech32_encode("a", "x")));
  for (std::size_t n = 0; n < 40; ++n) {
    const std::string octets(n, '\xa5');
    const auto back = bech32_decode(bech32_encode("name", octets));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->octets, octets);
  }
}

TEST(AgeKey, IsReadAsItIsWritten) {
  const auto identity = Secret::random(32);
  const std::string key = x25519_public(identity.view());
  EXPECT_EQ(read_recipient(write_recipient(key)), key);
  std::string text = bech32_encode("age-secret-key-", identity.view());
  EXPECT_FALSE(read_identity(text)) << "lower case";
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  const auto back = read_identity(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->view(), identity.view());
}

TEST(AgeKey, IsRefusedWhereItIsMistyped) {
  const std::string text = write_recipient(x25519_public(std::string(32, 's')));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(read_recipient(other)) << other;
  }
  std::string upper = text;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_FALSE(read_recipient(upper));
  EXPECT_FALSE(read_recipient(text + " "));
  EXPECT_FALSE(read_recipient(bech32_encode("age", std::string(31, 'k'))));
  EXPECT_FALSE(read_recipient(bech32_encode("age", std::string(33, 'k'))));
  EXPECT_FALSE(read_recipient(bech32_encode("other", std::string(32, 'k'))));
  EXPECT_FALSE(read_recipient(write_recipient(std::string(32, '\0')))) << "a point of small order";
}

}  // namespace

}  // namespace hector::privacy
