// What: key files: made, sealed, opened again, and refused.
// Why: with the file and its passphrase all keys are there, and without either none.
// Who: ctest.
#include "key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace hector::privacy {
namespace {

class KeyFiles : public ::testing::Test {
 protected:
  KeyFiles() {
    std::string made = (std::filesystem::temp_directory_path() / "key_file.XXXXXX").string();
    folder_ = ::mkdtemp(made.data());
    write("passphrase", "correct horse\n");
    write("other", "battery staple\n");
  }
  ~KeyFiles() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] KeyFile::Place plain() const { return {path("kek"), ""}; }
  [[nodiscard]] KeyFile::Place sealed(const std::string& passphrase = "passphrase") const {
    return {path("kek"), path(passphrase)};
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    ::chmod(path(name).c_str(), 0600);
  }
  [[nodiscard]] std::string content(const std::string& name = "kek") const {
    std::ifstream in(path(name), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  static std::string unwrapped(const KeyFile& file, const std::string& wrapped,
                               const std::string& where) {
    const auto key = file.unwrap(wrapped, where);
    return key ? std::string(key->view()) : "(none)";
  }

  std::string folder_;
};

TEST_F(KeyFiles, UnwrapWhatTheyWrappedWhenTheyAreOpenedAgain) {
  for (const auto& place : {plain(), sealed()}) {
    const auto made = KeyFile::make(place);
    ASSERT_TRUE(made) << made.error().text();
    const auto wrapped = (*made)->wrap(Secret::copy("a key"), "here");
    const auto opened = KeyFile::open(place);
    ASSERT_TRUE(opened) << opened.error().text();
    EXPECT_EQ((*opened)->id(), (*made)->id());
    EXPECT_EQ(unwrapped(**opened, wrapped, "here"), "a key");
    EXPECT_EQ(unwrapped(**opened, wrapped, "there"), "(none)");
    std::filesystem::remove(path("kek"));
  }
}

TEST_F(KeyFiles, HaveAKeyOfTheirOwn) {
  const auto one = KeyFile::make({path("one"), ""}), two = KeyFile::make({path("two"), ""});
  ASSERT_TRUE(one && two);
  EXPECT_NE((*one)->id(), (*two)->id());
  EXPECT_EQ(unwrapped(**two, (*one)->wrap(Secret::copy("a key"), ""), ""), "(none)");
}

TEST_F(KeyFiles, AreTheirOwnersAlone) {
  ASSERT_TRUE(KeyFile::make(plain()));
  struct stat status {};
  ASSERT_EQ(::stat(path("kek").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    ::chmod(path("kek").c_str(), mode);
    EXPECT_EQ(KeyFile::open(plain()).error().code, Code::kFailedPrecondition);
  }
  ::chmod(path("passphrase").c_str(), 0644);
  EXPECT_EQ(KeyFile::make({path("new"), path("passphrase")}).error().code,
            Code::kFailedPrecondition);
}

TEST_F(KeyFiles, AreNotOpenedWithAnotherPassphraseOrNone) {
  ASSERT_TRUE(KeyFile::make(sealed()));
  EXPECT_EQ(KeyFile::open(sealed("other")).error().code, Code::kFailedPrecondition);
  const auto unnamed = KeyFile::open(plain());
  ASSERT_FALSE(unnamed);
  EXPECT_NE(unnamed.error().message.find("passphrase_file"), std::string::npos);
  EXPECT_EQ(KeyFile::open(sealed("none")).error().code, Code::kNotFound);
  write("passphrase", "\n");
  EXPECT_EQ(KeyFile::open(sealed()).error().code, Code::kInvalidArgument);
}

TEST_F(KeyFiles, AreNeverWrittenOver) {
  ASSERT_TRUE(KeyFile::make(plain()));
  const auto before = content();
  EXPECT_EQ(KeyFile::make(plain()).error().code, Code::kAlreadyExists);
  EXPECT_EQ(content(), before);
  EXPECT_EQ(KeyFile::open({path("none"), ""}).error().code, Code::kNotFound);
}

TEST_F(KeyFiles, RememberTheKeysThatAreGone) {
  for (const auto& place : {plain(), sealed()}) {
    const auto made = KeyFile::make(place);
    ASSERT_TRUE(made);
    ASSERT_TRUE((*made)->add_gone({7, 4'294'967'295U}));
    ASSERT_TRUE((*made)->add_gone({9}));
    const auto wrapped = (*made)->wrap(Secret::copy("a key"), "");
    // Another capsule on the same file.
    const auto other = KeyFile::open(place);
    ASSERT_TRUE(other);
    ASSERT_TRUE((*other)->add_gone({11}));
    ASSERT_TRUE((*made)->add_gone({12}));
    const auto opened = KeyFile::open(place);
    ASSERT_TRUE(opened);
    for (const std::uint32_t id : {7U, 9U, 11U, 12U, 4'294'967'295U})
      EXPECT_TRUE((*opened)->is_gone(id)) << id;
    EXPECT_FALSE((*opened)->is_gone(8));
    EXPECT_EQ(unwrapped(**opened, wrapped, ""), "a key");
    std::filesystem::remove(path("kek"));
  }
}

TEST_F(KeyFiles, AreReadAsTheyAreWrittenAndOtherwiseRefused) {
  const auto made = KeyFile::make(sealed());
  ASSERT_TRUE(made && (*made)->add_gone({1, 2}));
  const auto text = content();
  const auto read = read_key_file(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(write_key_file(*read), text);
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    const auto cut = read_key_file(text.substr(0, size));
    EXPECT_TRUE(!cut || write_key_file(*cut) != text) << size;
  }
  for (const auto& other : {text + "\n", text + "x", "x" + text})
    EXPECT_FALSE(read_key_file(other));
  write("kek", "hello");
  const auto refused = KeyFile::open(plain());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_EQ(refused.error().message.find("hello"), std::string::npos);
  write("kek", std::string(kKeyFileOctetsMax + 1, 'x'));
  EXPECT_EQ(KeyFile::open(plain()).error().code, Code::kInvalidArgument);
}

TEST_F(KeyFiles, HideTheKeyBehindThePassphraseInEveryBit) {
  ASSERT_TRUE(KeyFile::make(sealed()));
  const auto text = content();
  const auto read = read_key_file(text);
  ASSERT_TRUE(read);
  for (const std::size_t at : {0U, 30U, 71U}) {
    auto changed = *read;
    changed.key[at] = static_cast<char>(changed.key[at] ^ 1);
    write("kek", write_key_file(changed));
    EXPECT_EQ(KeyFile::open(sealed()).error().code, Code::kFailedPrecondition) << at;
  }
}

}  // namespace
}  // namespace hector::privacy
