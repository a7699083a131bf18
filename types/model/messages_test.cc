// What: message types from .proto texts and from descriptor sets.
// Why: every Interface carries its messages; one that does not hold together must be refused early.
// Who: types_test.
#include "types/model/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hector/type/v1/type.pb.h"

namespace hector::types {
namespace {

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
