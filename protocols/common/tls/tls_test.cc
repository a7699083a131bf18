#include "tls/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tls/testing.h"

namespace hector::tls {
namespace {

using ::testing::HasSubstr;

/// Both ends of one connection, in memory.
struct Pair {
  Pair(Tls& server, Tls& client, const std::string& expected = {})
      : accepting(std::move(*server.accepting())), connecting(*client.connecting(expected)) {
    BIO *near = nullptr, *far = nullptr;
    BIO_new_bio_pair(&near, 0, &far, 0);
    SSL_set_bio(accepting.get(), near, near);
    SSL_set_bio(connecting.get(), far, far);
  }
  /// Until both have ended, or one has failed.
  bool shake() {
    for (int i = 0; i < 20; ++i) {
      const int client = step(*connecting, client_error), server = step(*accepting, server_error);
      if (client == 1 && server == 1) return true;
      if (server_error) static_cast<void>(step_read());
      if (client_error || server_error) return false;
    }
    return false;
  }
  static int step(SSL& ssl, std::optional<Error>& error) {
    const int done = SSL_do_handshake(&ssl);
    const int why = SSL_get_error(&ssl, done);
    if (done != 1 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
      error = why_failed(ssl);
    return done;
  }
  /// The client learns of a refusal with the first octets that it reads (RFC 8446, E.1).
  int step_read() {
    char octet = 0;
    const int done = SSL_read(connecting.get(), &octet, 1);
    if (SSL_get_error(connecting.get(), done) == SSL_ERROR_SSL)
      client_error = why_failed(*connecting);
    return done;
  }
  SslPtr accepting, connecting;
  std::optional<Error> server_error, client_error;
};

class TlsTest : public ::testing::Test {
 protected:
  TestRealm realm;
  TestCredentials north{realm, "capsule/north"}, south{realm, "capsule/south"};
  Tls server{north, {.alpn = "h2"}}, client{south, {.alpn = "h2"}};
};

TEST_F(TlsTest, BothEndsKnowWhoTheOtherIs) {
  Pair pair(server, client, "capsule:north");
  ASSERT_TRUE(pair.shake());
  ASSERT_NE(peer_of(*pair.accepting), nullptr);
  EXPECT_EQ(peer_of(*pair.accepting)->principal, "capsule:south");
  EXPECT_EQ(peer_of(*pair.connecting)->id, "spiffe://test.example/capsule/north");
  EXPECT_STREQ(SSL_get_version(pair.accepting.get()), "TLSv1.3");
}

TEST_F(TlsTest, NobodyIsThePeerBeforeTheHandshakeIsOver) {
  Pair pair(server, client);
  EXPECT_EQ(peer_of(*pair.accepting), nullptr);
}

TEST_F(TlsTest, AnotherPeerThanWasExpectedIsRefused) {
  Pair pair(server, client, "capsule:west");
  ASSERT_FALSE(pair.shake());
  ASSERT_TRUE(pair.client_error);
  EXPECT_EQ(pair.client_error->type, "WRONG_PEER");
  EXPECT_THAT(pair.client_error->message, HasSubstr("'capsule:north' answers"));
  EXPECT_EQ(peer_of(*pair.connecting), nullptr);
}

TEST_F(TlsTest, ARevokedPeerIsRefusedByNameAndIsTold) {
  ASSERT_TRUE(realm->revoke("capsule/south", test_now()));
  north.refresh();
  Pair pair(server, client);
  ASSERT_FALSE(pair.shake());
  ASSERT_TRUE(pair.server_error);
  EXPECT_EQ(pair.server_error->code, Code::kUnauthenticated);
  EXPECT_EQ(pair.server_error->type, "REVOKED");
  ASSERT_TRUE(pair.client_error);
  EXPECT_EQ(pair.client_error->type, "REFUSED");
  EXPECT_THAT(pair.client_error->message, HasSubstr("certificate revoked"));
}

TEST_F(TlsTest, APeerOfAnotherRealmIsRefused) {
  TestRealm other("other.example");
  TestCredentials stranger{other, "capsule/south"};
  Tls strange{stranger, {.alpn = "h2"}};
  Pair pair(strange, client);
  ASSERT_FALSE(pair.shake());
  ASSERT_TRUE(pair.client_error);
  EXPECT_EQ(pair.client_error->type, "UNTRUSTED_DOMAIN");
}

TEST_F(TlsTest, APeerWithoutAnIdentityIsRefused) {
  const std::unique_ptr<SSL_CTX, FreeSsl> plain(SSL_CTX_new(TLS_method()));
  Pair pair(server, client);
  pair.connecting.reset(SSL_new(plain.get()));
  SSL_set_connect_state(pair.connecting.get());
  BIO *near = nullptr, *far = nullptr;
  BIO_new_bio_pair(&near, 0, &far, 0);
  SSL_set_bio(pair.accepting.get(), near, near);
  SSL_set_bio(pair.connecting.get(), far, far);
  int accepted = 0;
  for (int i = 0; i < 10 && !pair.server_error; ++i) {
    SSL_do_handshake(pair.connecting.get());
    accepted = Pair::step(*pair.accepting, pair.server_error);
  }
  EXPECT_NE(accepted, 1);
  ASSERT_TRUE(pair.server_error);
  EXPECT_EQ(pair.server_error->type, "NO_IDENTITY");
}

TEST_F(TlsTest, AnOlderVersionIsRefused) {
  const std::unique_ptr<SSL_CTX, FreeSsl> old(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_max_proto_version(old.get(), TLS1_2_VERSION);
  Pair pair(server, client);
  SslPtr connecting(SSL_new(old.get()));
  SSL_set_connect_state(connecting.get());
  BIO *near = nullptr, *far = nullptr;
  BIO_new_bio_pair(&near, 0, &far, 0);
  SSL_set_bio(pair.accepting.get(), near, near);
  SSL_set_bio(connecting.get(), far, far);
  for (int i = 0; i < 10 && !pair.server_error; ++i) {
    SSL_do_handshake(connecting.get());
    Pair::step(*pair.accepting, pair.server_error);
  }
  ASSERT_TRUE(pair.server_error);
  EXPECT_THAT(pair.server_error->message, HasSubstr("protocol"));
}

TEST_F(TlsTest, WhoSpeaksAnotherProtocolInsideIsRefused) {
  Tls other{south, {.alpn = "other"}};
  Pair pair(server, other);
  EXPECT_FALSE(pair.shake());
}

TEST_F(TlsTest, AnIdentityThatIsReplacedCountsFromTheNextConnectionOn) {
  Pair before(server, client);
  ASSERT_TRUE(before.shake());
  const auto renewed = realm->renew({"capsule/north", 7200}, test_now());
  ASSERT_TRUE(renewed);
  std::stringstream text;
  text << std::ifstream(renewed->file).rdbuf();
  north.refresh(std::make_shared<OwnIdentity>(OwnIdentity{text.str(), text.str()}));
  Pair after(server, client);
  ASSERT_TRUE(after.shake());
  const auto serial = [](Pair& pair) {
    return X509_get0_serialNumber(SSL_get0_peer_certificate(pair.connecting.get()));
  };
  EXPECT_NE(ASN1_INTEGER_cmp(serial(before), serial(after)), 0);
}

TEST_F(TlsTest, AConnectionIsExaminedAgainAfterARevocation) {
  Pair pair(server, client);
  ASSERT_TRUE(pair.shake());
  EXPECT_TRUE(examine_again(*pair.accepting, north));
  ASSERT_TRUE(realm->revoke("capsule/south", test_now()));
  north.refresh();
  const auto again = examine_again(*pair.accepting, north);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().type, "REVOKED");
}

TEST_F(TlsTest, AnIdentityWhoseKeyIsAnothersIsNotUsed) {
  OwnIdentity mixed{north.own()->chain, south.own()->key};
  // The files hold chain and key, so that the key of the other stands first.
  mixed.key = mixed.key.substr(mixed.key.find("-----BEGIN PRIVATE KEY"));
  north.refresh(std::make_shared<OwnIdentity>(mixed));
  const auto made = server.accepting();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kFailedPrecondition);
}

TEST(PeerAddressTest, HoldsAPlaceAndWhoMustAnswer) {
  const auto both = PeerAddress::parse("[::1]:7300/capsule:north");
  EXPECT_EQ(both.place, "[::1]:7300");
  EXPECT_EQ(both.principal, "capsule:north");
  EXPECT_EQ(both.text(), "[::1]:7300/capsule:north");
  EXPECT_EQ(PeerAddress::parse("[::1]:7300").principal, "");
  EXPECT_EQ(PeerAddress::parse("a:1/spiffe://td/x").principal, "spiffe://td/x");
}

}  // namespace
}  // namespace hector::tls
