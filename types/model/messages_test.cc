// What: message types from .proto texts and from descriptor sets.
// Why: every Interface carries its messages; one that does not hold together must be refused early.
// Who: types_test.
#include "types/model/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "hector/type/v1/type.pb.h"

namespace hector::types {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::map<std::string, std::string>;

constexpr const char* kHead = "syntax = \"proto3\"; package t;\n";

Result<google::protobuf::FileDescriptorSet> read(const Texts& texts, const std::string& file) {
  return read_proto_files(ProtoSource(&texts), {file});
}

TEST(ProtoFiles, ComeAfterWhatTheyImport) {
  const Texts texts{{"a.proto", std::string(kHead) + "import \"b.proto\"; message A { B b = 1; }"},
                    {"b.proto", std::string(kHead) + "message B {}"}};
  const auto files = read(texts, "a.proto");
  ASSERT_TRUE(files) << files.error().text();
  ASSERT_EQ(files->file_size(), 2);
  EXPECT_EQ(files->file(0).name(), "b.proto");
  EXPECT_EQ(files->file(1).name(), "a.proto");
}

TEST(ProtoFiles, SayThePlaceOfAMistake) {
  const auto broken =
      read({{"a.proto", std::string(kHead) + "message A { int32 f 1; }"}}, "a.proto");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::kInvalidArgument);
  EXPECT_THAT(broken.error().message, HasSubstr("a.proto:2:21"));
  const auto missing = read({{"a.proto", "import \"gone.proto\";"}}, "a.proto");
  EXPECT_THAT(missing.error().message, HasSubstr("gone.proto"));
}

TEST(ProtoFiles, OfTextsAreNotLookedForOnDisk) {
  EXPECT_FALSE(read({}, "hector/type/v1/type.proto"));
  EXPECT_TRUE(read({{"a.proto", "import \"google/protobuf/any.proto\";"}}, "a.proto"))
      << "Protobuf's own are everywhere";
}

/// A folder of its own with these files, gone at the end.
class Tree {
 public:
  explicit Tree(const std::map<std::string, std::string>& files) {
    std::string name = (fs::temp_directory_path() / "hector-protos-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    for (const auto& [path, text] : files) {
      fs::create_directories((folder_ / path).parent_path());
      std::ofstream(folder_ / path) << kHead << text;
    }
  }
  ~Tree() { fs::remove_all(folder_); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  [[nodiscard]] std::string at(const std::string& path) const { return (folder_ / path).string(); }

 private:
  fs::path folder_;
};

/// The file's name from its root, or the error.
std::string name_from_root(const std::string& path, const std::vector<std::string>& roots = {}) {
  const auto file = read_proto_file(path, roots);
  return file ? file->name : file.error().message;
}

TEST(ProtoRoots, AreTheNearestFolderWhereAllImportsAreFound) {
  const Tree tree({{"x/y/alone.proto", "message A {}"},
                   {"x/y/beside.proto", "import \"alone.proto\"; message B { A a = 1; }"},
                   {"x/y/above.proto", "import \"x/y/alone.proto\"; message C { A a = 1; }"},
                   {"x/z.proto", "message Z {}"},
                   {"x/y/one_up.proto", "import \"z.proto\"; message D { Z z = 1; }"},
                   {"x/y/lost.proto", "import \"nowhere.proto\"; message E {}"}});
  EXPECT_EQ(name_from_root(tree.at("x/y/alone.proto")), "alone.proto");
  EXPECT_EQ(name_from_root(tree.at("x/y/beside.proto")), "beside.proto");
  EXPECT_EQ(name_from_root(tree.at("x/y/above.proto")), "x/y/above.proto");
  EXPECT_EQ(name_from_root(tree.at("x/y/one_up.proto")), "y/one_up.proto");
  EXPECT_THAT(name_from_root(tree.at("x/y/lost.proto")),
              AllOf(HasSubstr("nowhere.proto: File not found"), HasSubstr(tree.at("x")),
                    HasSubstr("-I says where imports begin")));
  EXPECT_EQ(read_proto_file(tree.at("none.proto"), {}).error().code, Code::kNotFound);
}

TEST(ProtoRoots, MayBeSeveralAndThenAreTheOnlyOnes) {
  const Tree tree({{"own/v1/a.proto", "import \"v1/b.proto\"; message A { B b = 1; }"},
                   {"theirs/v1/b.proto", "message B {}"}});
  EXPECT_EQ(name_from_root(tree.at("own/v1/a.proto"), {tree.at("theirs"), tree.at("own")}),
            "v1/a.proto");
  EXPECT_THAT(name_from_root(tree.at("own/v1/a.proto"), {tree.at("own")}),
              HasSubstr("v1/b.proto: File not found"));
  EXPECT_THAT(name_from_root(tree.at("own/v1/a.proto"), {tree.at("theirs")}),
              HasSubstr("is in none of the folders that imports begin at"));
}

TEST(ProtoRoots, OfATypeFileAreItsFolderOrOneAroundIt) {
  const Tree tree({{"lib/m.proto", "message M {}"},
                   {"app/v1/n.proto", "import \"lib/m.proto\"; message N { M m = 1; }"}});
  const auto read = [&](const std::string& folder, const std::string& file) {
    const auto files = read_proto_files(tree.at(folder), {file});
    return files ? files->file(files->file_size() - 1).name() : files.error().message;
  };
  EXPECT_EQ(read("app/v1", "app/v1/n.proto"), "app/v1/n.proto");
  EXPECT_EQ(read("app", "app/v1/n.proto"), "app/v1/n.proto");
  EXPECT_EQ(read("app/v1", "n.proto"), "n.proto") << "each file from the nearest that has it";
  EXPECT_EQ(read("app/v1", "gone.proto"), "gone.proto: File not found.");
}

TEST(MessagePool, FindsMessagesByNameNestedOnesToo) {
  const Texts texts{{"a.proto", std::string(kHead) + "message A { message In { int32 f = 1; } }"}};
  const auto pool = *MessagePool::make(*read(texts, "a.proto"));
  EXPECT_THAT(pool->names(), ElementsAre("t.A", "t.A.In"));
  EXPECT_EQ(pool->find("t.B"), nullptr);
  const auto made = pool->create(pool->find("t.A.In"));
  EXPECT_EQ(made->GetTypeName(), "t.A.In");
}

TEST(MessagePool, RefusesFilesWithoutTheirImports) {
  const Texts texts{{"a.proto", std::string(kHead) + "import \"b.proto\"; message A { B b = 1; }"},
                    {"b.proto", std::string(kHead) + "message B {}"}};
  auto files = *read(texts, "a.proto");
  files.mutable_file()->DeleteSubrange(0, 1);
  const auto pool = MessagePool::make(files);
  ASSERT_FALSE(pool);
  EXPECT_THAT(pool.error().message, HasSubstr("message types: a.proto"));
}

TEST(CompiledFiles, DescribeAMessageOfThisProgramWithItsImports) {
  const auto files = compiled_files({hector::type::v1::Binding::descriptor()});
  EXPECT_NE((*MessagePool::make(files))->find("hector.type.v1.Binding"), nullptr);
}

}  // namespace
}  // namespace hector::types
