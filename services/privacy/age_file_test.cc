#include "age_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base64.h"
#include "hpke.h"
#include "refusals.h"

namespace hector::privacy {

namespace {

struct Opened {
  std::string error;  ///< empty: none
  std::string text;
  std::uint64_t released = 0;
};

class AgeFile : public testing::Test {
 protected:
  AgeFile() {
    identities_.push_back(Secret::random(32));
    recipients_.push_back(x25519_public(identities_[0].view()));
  }
  Opened open(std::string_view file, std::size_t piece = SIZE_MAX) {
    Opened opened;
    AgeOpener opener(identities_, [&](std::string_view part) { opened.text += part; });
    Status status;
    for (std::size_t at = 0; at < file.size() && status; at += std::min(piece, file.size() - at))
      status = opener.add(file.substr(at, piece));
    if (status) status = opener.finish();
    if (!status) opened.error = status.error().type;
    opened.released = opener.released();
    EXPECT_EQ(opened.released, opened.text.size());
    return opened;
  }
  /// A file with this header's stanzas, and a MAC that is right.
  std::string with_stanzas(const std::string& before, const std::string& after) const {
    const std::string file = seal(recipients_, "text");
    // The MAC is over what is changed, so a key of the file's is needed; none is: it is refused
    // before.
    std::string made = file;
    const auto first = made.find("-> X25519");
    made.insert(first, before);
    made.insert(made.find("\n---") + 1, after);
    return made;
  }
  std::vector<Secret> identities_;
  std::vector<std::string> recipients_;
};

TEST_F(AgeFile, OpensWhatItSealsCutAnywhere) {
  for (const std::size_t n : {0, 1, 65'535, 65'536, 65'537, 131'072, 131'073}) {
    const std::string text(n, 't');
    const std::string file = seal(recipients_, text);
    const std::size_t body = file.size() - find_header_end(file);
    EXPECT_EQ(body, n + 16 + 16 * std::max<std::size_t>(1, (n + 65'535) / 65'536));
    for (const std::size_t piece : {std::size_t{7}, std::size_t{65'552}, SIZE_MAX}) {
      EXPECT_EQ(open(file, piece).text, text);
      EXPECT_EQ(open(file, piece).error, "");
      EXPECT_EQ(open(write_armor(file), piece).text, text);
    }
  }
}

TEST_F(AgeFile, IsForEachRecipientAndNobodyElse) {
  const auto other = Secret::random(32);
  recipients_.push_back(x25519_public(other.view()));
  const std::string file = seal(recipients_, "text");
  EXPECT_EQ(open(file).text, "text");
  identities_[0] = Secret::copy(other.view());
  EXPECT_EQ(open(file).text, "text");
  identities_[0] = Secret::random(32);
  EXPECT_EQ(open(file).error, kNoIdentityMatched);
  identities_.clear();
  EXPECT_EQ(open(file).error, kNoIdentityMatched);
}

TEST_F(AgeFile, ReleasesNothingOfAChunkThatIsNotGenuine) {
  const std::string text(131'073, 't');
  const std::string file = seal(recipients_, text);
  const std::size_t first = find_header_end(file) + 16;
  constexpr std::size_t kFull = 65'552;
  for (const std::size_t chunk : {0, 1, 2}) {
    std::string other = file;
    other[first + chunk * kFull] = static_cast<char>(other[first + chunk * kFull] ^ 1);
    EXPECT_EQ(open(other).error, kAuthFailed);
    EXPECT_EQ(open(other).released, chunk * 65'536);
    EXPECT_EQ(open(other, 1'000).released, chunk * 65'536);
  }
  EXPECT_EQ(open(file.substr(0, file.size() - 17)).error, kAuthFailed) << "without the last chunk";
  EXPECT_EQ(open(file.substr(0, file.size() - 17)).released, 65'536U);
  EXPECT_EQ(open(file.substr(0, file.size() - 18)).error, kAuthFailed);
  EXPECT_EQ(open(file + "x").error, kAuthFailed);
  const std::string reordered = file.substr(0, first) + file.substr(first + kFull, kFull) +
                                file.substr(first, kFull) + file.substr(first + 2 * kFull);
  EXPECT_EQ(open(reordered).error, kAuthFailed);
  EXPECT_EQ(open(reordered).released, 0U);
}

TEST_F(AgeFile, RefusesAnEmptyLastChunkBehindAnotherOne) {
  const std::string file = seal(recipients_, std::string(65'536, 't'));
  EXPECT_EQ(open(file.substr(0, find_header_end(file) + 16)).error, kAuthFailed) << "no chunk";
  EXPECT_EQ(open(file.substr(0, find_header_end(file) + 15)).error, kMalformed) << "no nonce";
  EXPECT_EQ(open(file.substr(0, find_header_end(file))).error, kMalformed) << "no nonce";
}

TEST_F(AgeFile, HasOneFormOfHeader) {
  const std::string file = seal(recipients_, "text");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string made = file;
    made.replace(made.find(from), from.size(), to);
    return open(made).error;
  };
  EXPECT_EQ(with("/v1\n", "/v2\n"), kMalformed);
  EXPECT_EQ(with("/v1\n", "/v1\r\n"), kMalformed);
  EXPECT_EQ(with("/v1\n", "/v1 \n"), kMalformed);
  EXPECT_EQ(with("-> X25519 ", "->  X25519 "), kMalformed);
  EXPECT_EQ(with("-> X25519 ", "->X25519 "), kMalformed);
  EXPECT_EQ(with("-> X25519 ", "-> X25519 more "), kMalformed);
  EXPECT_EQ(with("-> X25519 ", "-> X25519 \x01"), kMalformed);
  EXPECT_EQ(with("--- ", "---"), kMalformed);
  EXPECT_EQ(with("--- ", "---  "), kMalformed);
  EXPECT_EQ(with("\n--- ", "=\n--- "), kMalformed);
  EXPECT_EQ(with("\n--- ", "\n\n--- "), kMalformed);
  EXPECT_EQ(with("-> X25519 ", "-> x25519 "), kNoIdentityMatched) << "another type";
  EXPECT_EQ(open("").error, kMalformed);
  EXPECT_EQ(open("age-encryption.org/v1\n").error, kMalformed);
  EXPECT_EQ(open("age-encryption.org/v1\n--- " + std::string(43, 'A') + "\n").error, kMalformed);
  EXPECT_EQ(open(std::string(kHeaderOctetsMax + 1, 'x')).error, kMalformed);
  EXPECT_EQ(open(" " + file).error, kMalformed);
}

TEST_F(AgeFile, IsBoundToItsHeader) {
  const std::string body = base64_encode(std::string(16, 'b'), Padding::kWithout) + "\n";
  EXPECT_EQ(open(with_stanzas("-> other argument\n" + body, "")).error, kAuthFailed);
  EXPECT_EQ(open(with_stanzas("", "-> other\n\n")).error, kAuthFailed);
  const std::string file = seal(recipients_, "text");
  std::string other = file;
  auto& in_mac = other[other.find("--- ") + 4];
  in_mac = in_mac == 'A' ? 'B' : 'A';
  EXPECT_EQ(open(other).error, kAuthFailed);
}

TEST_F(AgeFile, RefusesStanzasThatAreNone) {
  const std::string share = base64_encode(std::string(32, '\1'), Padding::kWithout);
  const std::string body = base64_encode(std::string(32, 'b'), Padding::kWithout) + "\n";
  EXPECT_EQ(open(with_stanzas("", "-> X25519 " + share + "A\n" + body)).error, kMalformed);
  EXPECT_EQ(open(with_stanzas("", "-> X25519 " + share + "\nAAAA\n")).error, kMalformed);
  EXPECT_EQ(open(with_stanzas("", "-> X25519\n" + body)).error, kMalformed);
  const std::string zero = base64_encode(std::string(32, '\0'), Padding::kWithout);
  EXPECT_EQ(open(with_stanzas("", "-> X25519 " + zero + "\n" + body)).error, kMalformed);
  EXPECT_EQ(open(with_stanzas("-> scrypt salt 10\n" + body, "")).error, kMalformed);
  // Another spelling of the same octets: the last character's bits that count for nothing.
  std::string spelled = share;
  spelled.back() = spelled.back() == 'E' ? 'F' : static_cast<char>(spelled.back() + 1);
  EXPECT_EQ(open(with_stanzas("", "-> X25519 " + spelled + "\n" + body)).error, kMalformed);
}

TEST_F(AgeFile, HasOneFormOfArmor) {
  const std::string armor = write_armor(seal(recipients_, std::string(100, 't')));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string made = armor;
    for (auto at = made.find(from); at != std::string::npos; at = made.find(from, at + to.size()))
      made.replace(at, from.size(), to);
    return open(made).error;
  };
  EXPECT_EQ(with("\n", "\r\n"), "");
  EXPECT_EQ(open("\n \r\n\t\n" + armor + "\n\n \t\r\n").error, "");
  EXPECT_EQ(open(armor.substr(0, armor.size() - 1)).error, "");
  EXPECT_EQ(open(std::string(kArmorSpaceMax + 1, '\n') + armor).error, kMalformed);
  EXPECT_EQ(open(armor + std::string(kArmorSpaceMax + 1, '\n')).error, kMalformed);
  EXPECT_EQ(open("x" + armor).error, kMalformed);
  EXPECT_EQ(open(armor + "x").error, kMalformed);
  EXPECT_EQ(with("AGE ENCRYPTED", "age encrypted"), kMalformed);
  EXPECT_EQ(with("-----END", "----END"), kMalformed);
  EXPECT_EQ(with("\n", "\n\n"), kMalformed);
  EXPECT_EQ(with("\n", " \n"), kMalformed);
  const auto first = armor.find('\n') + 1;
  std::string short_line = armor;
  short_line.insert(first + 60, "\n");
  EXPECT_EQ(open(short_line).error, kMalformed);
  std::string long_line = armor;
  long_line.erase(first + 64, 1);
  EXPECT_EQ(open(long_line).error, kMalformed);
  EXPECT_EQ(open(armor.substr(0, armor.find("-----END"))).error, kMalformed);
}

TEST_F(AgeFile, SaysTheSameAgainAfterAMistake) {
  AgeOpener opener(identities_, [](std::string_view) {});
  EXPECT_FALSE(opener.add("no header\n---\n"));
  EXPECT_FALSE(opener.add("more"));
  EXPECT_FALSE(opener.finish());
}

}  // namespace

}  // namespace hector::privacy
