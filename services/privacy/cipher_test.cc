#include "cipher.h"

#include <gtest/gtest.h>

#include "aes_gcm.h"
#include "aes_siv.h"
#include "chunks.h"
#include "hkdf.h"
#include "hpke.h"
#include "testing.h"

namespace hector::privacy {

namespace {

constexpr TemplateId kCiphers[] = {TemplateId::kAes256Gcm, TemplateId::kXChaCha20,
                                   TemplateId::kAesSivDet, TemplateId::kStream64K,
                                   TemplateId::kHpkeX25519};

std::unique_ptr<Cipher> new_cipher(TemplateId id) {
  for (const auto& form : kTemplates) {
    if (form.id == id) return make_cipher(id, Secret::random(form.key_octets));
  }
  return nullptr;
}

TEST(Hkdf, IsThatOfRfc5869) {  // A.1, the first block
  const auto key = hkdf_extract(from_hex("000102030405060708090a0b0c"), {std::string(22, '\x0b')});
  EXPECT_EQ(to_hex(key.view()), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(to_hex(hkdf_expand<32>(key, {from_hex("f0f1f2f3f4"), from_hex("f5f6f7f8f9")}).view()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

TEST(Hmac, IsThatOfRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", {"what do ya want ", "for nothing?"}).view()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(AesGcm, IsThatOfTheSpecification) {  // McGrew and Viega, test case 16
  const std::string key =
      from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const std::string nonce = from_hex("cafebabefacedbaddecaf888");
  const std::string aad = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const std::string text = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449"
      "a6b525b16aedf5aa0de657ba637b39");
  std::string sealed;
  AesGcm().seal({key, nonce, aad}, text, sealed);
  EXPECT_EQ(
      to_hex(sealed),
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1"
      "056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
  EXPECT_EQ(AesGcm().open({key, nonce, aad}, sealed), text);
}

TEST(XChaCha, OpensTheDraftsCiphertext) {  // draft-irtf-cfrg-xchacha, A.3.1
  std::string key;
  for (int i = 0x80; i < 0xa0; ++i) key += static_cast<char>(i);
  const auto cipher = make_cipher(TemplateId::kXChaCha20, Secret::copy(key));
  const std::string body = from_hex(
      "404142434445464748494a4b4c4d4e4f5051525354555657bd6d179d3e83d43b9576579493c0e939572a1700252b"
      "faccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba4"
      "0db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
      "c0875924c1c7987947deafd8780acf49");
  EXPECT_EQ(cipher->reveal(body, from_hex("50515253c0c1c2c3c4c5c6c7")),
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
            "future, sunscreen would be it.");
}

TEST(AesSiv, IsThatOfRfc5297) {  // A.1
  const AesSiv siv(AesSiv::Size::k128);
  const std::string key =
      from_hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const std::string aad = from_hex("101112131415161718191a1b1c1d1e1f2021222324252627");
  const std::string text = from_hex("112233445566778899aabbccddee");
  const std::string body = siv.seal(key, text, aad);
  EXPECT_EQ(to_hex(body), "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c");
  EXPECT_EQ(siv.open(key, body, aad), text);
}

TEST(AesSiv, MakesAnIvOfNothing) {
  const AesSiv siv;
  const std::string key(64, 'k');
  for (const std::string aad : {"", "place"}) {
    const std::string body = siv.seal(key, "", aad);
    ASSERT_EQ(body.size(), AesSiv::kIv);
    EXPECT_NE(body, std::string(AesSiv::kIv, '\0'));
    EXPECT_EQ(siv.open(key, body, aad), "");
    EXPECT_FALSE(siv.open(key, body, aad + "s"));
    std::string other = body;
    other[15] = static_cast<char>(other[15] ^ 1);
    EXPECT_FALSE(siv.open(key, other, aad));
  }
}

TEST(Hpke, SharesTheSecretOfRfc9180) {  // A.1.1
  const std::string ephemeral =
      from_hex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736");
  const std::string recipient =
      from_hex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d");
  const auto made = hpke_encapsulate(recipient, ephemeral);
  ASSERT_TRUE(made);
  EXPECT_EQ(to_hex(made->encapsulated),
            "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
  constexpr const char* kShared =
      "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc";
  EXPECT_EQ(to_hex(made->shared.view()), kShared);
  const auto back =
      hpke_decapsulate(from_hex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"),
                       made->encapsulated);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_hex(back->view()), kShared);
}

TEST(Hpke, RefusesAPointOfSmallOrder) {
  const auto cipher = new_cipher(TemplateId::kHpkeX25519);
  EXPECT_FALSE(cipher->reveal(std::string(64, '\0'), ""));
  EXPECT_FALSE(hpke_encapsulate(std::string(32, '\0'), std::string(32, 'e')));
}

TEST(Ed25519, IsThatOfRfc8032) {  // 7.1, test 2
  const auto signer = make_signer(
      TemplateId::kEd25519,
      Secret::copy(from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")));
  const std::string signature = signer->sign("\x72");
  EXPECT_EQ(
      to_hex(signature),
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f361"
      "3d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(signer->verify("\x72", signature));
  EXPECT_FALSE(signer->verify("\x73", signature));
}

TEST(Cipher, HasTheLengthsOfItsLayout) {
  for (const std::size_t n : {0, 1, 15, 16, 17, 65'535, 65'536, 65'537, 131'072, 131'073}) {
    const std::string text(n, 't');
    const std::size_t chunks = n == 0 ? 1 : (n + kChunkOctets - 1) / kChunkOctets;
    const std::size_t more[] = {28, 40, 16, 16 + 16 * chunks, 48};
    for (std::size_t i = 0; i < std::size(kCiphers); ++i) {
      const auto cipher = new_cipher(kCiphers[i]);
      const std::string body = cipher->protect(text, "place");
      EXPECT_EQ(body.size(), n + more[i]);
      EXPECT_EQ(cipher->reveal(body, "place"), text);
    }
  }
}

TEST(Cipher, RevealsNothingOfWhatWasChanged) {
  const std::string text = "a text of some length";
  for (const auto id : kCiphers) {
    const auto cipher = new_cipher(id);
    const std::string body = cipher->protect(text, "place");
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      std::string other = body;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
      // X25519 leaves out the highest bit of a point; HPKE has it in its context.
      EXPECT_FALSE(cipher->reveal(other, "place")) << int(id) << " bit " << bit;
    }
    for (std::size_t size = 0; size < body.size(); ++size)
      EXPECT_FALSE(cipher->reveal(body.substr(0, size), "place")) << int(id) << " cut at " << size;
    EXPECT_FALSE(cipher->reveal(body + std::string(1, '\0'), "place"));
    EXPECT_FALSE(cipher->reveal(body, "plac"));
    EXPECT_FALSE(cipher->reveal(body, ""));
    EXPECT_FALSE(new_cipher(id)->reveal(body, "place"));
  }
}

TEST(Cipher, TakesAssociatedDataOfAnyLength) {
  const std::string aad(100'000, 'a');  // OpenSSL's own HKDF ends at a buffer of its own
  for (const auto id : kCiphers) {
    const auto cipher = new_cipher(id);
    const std::string body = cipher->protect("text", aad);
    EXPECT_EQ(cipher->reveal(body, aad), "text");
    EXPECT_FALSE(cipher->reveal(body, aad.substr(1)));
  }
}

TEST(Cipher, SaysTheSameTwiceOnlyWhereItIsAskedTo) {
  for (const auto id : kCiphers) {
    const auto cipher = new_cipher(id);
    EXPECT_EQ(cipher->protect("text", "") == cipher->protect("text", ""),
              id == TemplateId::kAesSivDet);
  }
}

TEST(Signer, RefusesASignatureOfAnotherLength) {
  for (const auto id : {TemplateId::kEd25519, TemplateId::kHmac}) {
    const auto signer = make_signer(id, Secret::random(32));
    const std::string signature = signer->sign("data");
    EXPECT_TRUE(signer->verify("data", signature));
    EXPECT_FALSE(signer->verify("data", signature.substr(1)));
    EXPECT_FALSE(signer->verify("data", signature + "x"));
    EXPECT_FALSE(signer->verify("data", ""));
  }
}

}  // namespace

}  // namespace hector::privacy
