// What: which shared objects load as templates: by their description, octets and messages.
// Why: a template that was built before hector_template grew keeps loading; a foreign one, a part
// of one and one of other messages are refused with words.
// Who: ctest.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "hector/plugin.h"

extern "C" const hector_plugin hector_plugin_v1;

namespace hector {
namespace {

namespace fs = std::filesystem;

std::string built(const std::string& name) {
  return std::string(CPP_TEMPLATES) + "/" + name + ".so";
}

Result<std::unique_ptr<TemplateCode>> load_file(const std::string& path) {
  const std::unique_ptr<Language> language(hector_plugin_v1.make_language({}));
  return language->load(path);
}
Result<std::unique_ptr<TemplateCode>> load(const std::string& name) {
  return load_file(built(name));
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file in a folder of its own, gone with the test.
class Scratch {
 public:
  Scratch() {
    std::string made = (fs::temp_directory_path() / "hector-cpp-XXXXXX").string();
    EXPECT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
  }
  ~Scratch() { fs::remove_all(folder_); }
  std::string write(std::string_view octets, const std::string& name = "t.so") const {
    const std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary | std::ios::trunc) << octets;
    return path;
  }

 private:
  fs::path folder_;
};

TEST(CppLanguage, LoadsATemplateThatWasBuiltBeforeTheDescriptionGrew) {
  const auto code = load("older_template");
  ASSERT_TRUE(code) << code.error().message;
  EXPECT_EQ((*code)->info().name, "kit.Older");
  EXPECT_EQ((*code)->info().interface_id, "kit.Echo/1");
  EXPECT_TRUE((*code)->info().type_model.empty()) << "a field beyond its size was read";
}

TEST(CppLanguage, RefusesADescriptionThatIsSmallerThanTheFirstVersion) {
  const auto code = load("small_template");
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, Code::kInvalidArgument);
  EXPECT_THAT(code.error().message, testing::HasSubstr("build it again"));
}

TEST(CppLanguage, RefusesADescriptionOfAnotherVersion) {
  const auto code = load("foreign_template");
  ASSERT_FALSE(code);
  EXPECT_THAT(code.error().message, testing::HasSubstr("another C API"));
}

// --- what runs while it is loaded

TEST(CppLanguage, RefusesATemplateThatWouldEndTheProcessWhileItIsLoaded) {
  const std::pair<const char*, const char*> cases[] = {{"segv_at_load", "it ends by SIGSEGV"},
                                                       {"abort_at_load", "it ends by SIGABRT"},
                                                       {"exit_at_load", "it calls exit(3)"},
                                                       {"entry_at_load", "it ends by SIGABRT"}};
  for (const auto& [name, why] : cases) {
    const auto code = load(name);
    ASSERT_FALSE(code) << name;
    EXPECT_EQ(code.error().code, Code::kInvalidArgument);
    EXPECT_THAT(code.error().message, testing::HasSubstr(why));
  }
}

TEST(CppLanguage, RefusesATemplateWhoseLoadingDoesNotEnd) {
  const auto code = load("spin_at_load");
  ASSERT_FALSE(code);
  EXPECT_THAT(code.error().message, testing::HasSubstr("it has not ended after"));
}

// --- the octets

TEST(CppLanguage, RefusesEveryPartOfASharedObject) {
  const Scratch scratch;
  const std::string whole = content(built("older_template"));
  ASSERT_GT(whole.size(), 1'000U);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    const auto code = load_file(scratch.write(std::string_view(whole).substr(0, size)));
    ASSERT_FALSE(code) << size;
    ASSERT_EQ(code.error().code, Code::kInvalidArgument) << code.error().text();
  }
  const auto last = load_file(scratch.write(std::string_view(whole).substr(0, whole.size() - 1)));
  ASSERT_FALSE(last);
  EXPECT_THAT(last.error().message, testing::HasSubstr("part of a shared object"));
  EXPECT_TRUE(load_file(scratch.write(whole)));
}

TEST(CppLanguage, RefusesWhatIsNoLibraryOfThisMachine) {
  const Scratch scratch;
  std::string narrow = content(built("older_template"));
  narrow[4] = 1;  // 32 bits
  for (const std::string& octets : {std::string("#!/bin/sh\n"),
                                    std::string("\x7f"
                                                "ELF"),
                                    std::string(5'000, '\0'), narrow}) {
    const auto code = load_file(scratch.write(octets));
    ASSERT_FALSE(code);
    EXPECT_THAT(code.error().message, testing::HasSubstr("no shared object"));
  }
  const auto folder = load_file("/tmp");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Code::kInvalidArgument);
}

TEST(CppLanguage, RunsWhatItReadThoughTheFileIsWrittenOver) {
  const Scratch scratch;
  const std::string path = scratch.write(content(built("first_twin")));
  const auto code = load_file(path);
  ASSERT_TRUE(code) << code.error().text();
  scratch.write(std::string(200'000, '\xcc'));
  EXPECT_EQ((*code)->info().name, "kit.first_twin");
  EXPECT_EQ((*code)->info().digest.size(), 64U);
}

TEST(CppLanguage, LoadsANewBuildFromThePlaceOfTheOldOne) {
  const Scratch scratch;
  const auto old = load_file(scratch.write(content(built("first_twin"))));
  const auto next = load_file(scratch.write(content(built("second_twin"))));
  ASSERT_TRUE(old);
  ASSERT_TRUE(next) << next.error().text();
  EXPECT_EQ((*old)->info().name, "kit.first_twin");
  EXPECT_EQ((*next)->info().name, "kit.second_twin");
  EXPECT_NE((*old)->info().digest, (*next)->info().digest);
}

// --- the messages

TEST(CppLanguage, SharesMessageFilesThatAreEqual) {
  for (const char* name : {"first_twin", "second_twin"}) {
    const auto code = load(name);
    ASSERT_TRUE(code) << code.error().text();
    EXPECT_EQ((*code)->info().description, "twin.Ballot aye nay letters");
  }
}

TEST(CppLanguage, RefusesATemplateOfOtherMessagesUnderTheSameName) {
  ASSERT_TRUE(load("first_twin"));
  const auto code = load("other_twin");
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, Code::kInvalidArgument);
  ASSERT_EQ(code.error().reasons.size(), 1U);
  EXPECT_THAT(code.error().reasons[0], testing::AllOf(testing::HasSubstr("'twin/messages.proto'"),
                                                      testing::HasSubstr("from template /")));
  EXPECT_FALSE(load("other_twin")) << "it must stay refused";
}

}  // namespace
}  // namespace hector
