#include "identity/spiffe_id.h"

#include <gtest/gtest.h>

namespace hector::identity {

namespace {

std::string domain_of(std::string_view text) {
  const auto id = SpiffeId::read(text);
  return id ? std::string(id->trust_domain()) : "";
}

}  // namespace

TEST(SpiffeId, HasADomainAndAPath) {
  EXPECT_EQ(domain_of("spiffe://td/a"), "td");
  EXPECT_EQ(domain_of("spiffe://a.b-c_9/x/Y.z-_0"), "a.b-c_9");
  EXPECT_EQ(SpiffeId::read("spiffe://td/a/b")->text(), "spiffe://td/a/b");
  EXPECT_EQ(domain_of("spiffe://td/..."), "td");
}

TEST(SpiffeId, OfAnotherSpellingIsMalformed) {
  for (const char* text : {"spiffe://TD/a",
                           "spiffe://td/a/",
                           "spiffe://td//a",
                           "spiffe://td:1/a",
                           "spiffe://td/a/../b",
                           "spiffe://td/./a",
                           "spiffe://td",
                           "spiffe://td/",
                           "spiffe:///a",
                           "spiffe://",
                           "",
                           "td/a",
                           "SPIFFE://td/a",
                           "http://td/a",
                           "spiffe:/td/a",
                           "spiffe://u@td/a",
                           "spiffe://@td/a",
                           "spiffe://td:/a",
                           "spiffe://td/a?",
                           "spiffe://td/a?q",
                           "spiffe://td/a#",
                           "spiffe://td/%61",
                           "spiffe://t%64/a",
                           "spiffe://td/a b",
                           " spiffe://td/a",
                           "spiffe://td/a\n",
                           "spiffe://td/a~",
                           "spiffe://td/\xc3\xa9",
                           "spiffe://[::1]/a",
                           "spiffe://td\\a",
                           "spiffe://td/a;b",
                           "spiffe://td/a:b"}) {
    const auto id = SpiffeId::read(text);
    ASSERT_FALSE(id) << text;
    EXPECT_EQ(id.error().fault, Fault::kMalformed);
    EXPECT_FALSE(id.error().message.empty());
  }
  EXPECT_FALSE(SpiffeId::read(std::string_view("spiffe://td/a\0b", 15)));
}

TEST(SpiffeId, HasALongestFormAndDomain) {
  const std::string head = "spiffe://td/";
  EXPECT_TRUE(SpiffeId::read(head + std::string(kIdOctetsMax - head.size(), 'a')));
  EXPECT_FALSE(SpiffeId::read(head + std::string(kIdOctetsMax - head.size() + 1, 'a')));
  EXPECT_TRUE(SpiffeId::read("spiffe://" + std::string(kTrustDomainOctetsMax, 'a') + "/a"));
  EXPECT_FALSE(SpiffeId::read("spiffe://" + std::string(kTrustDomainOctetsMax + 1, 'a') + "/a"));
}

}  // namespace hector::identity
