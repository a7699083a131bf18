#include "process/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/test_folder.h"

namespace hector {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kWhole = R"(name: udp
description: datagrams
status: stable
security: none
unload: retire
libraries: []
listen: ["127.0.0.1:0"]
weight: 10
abi: "2 GNU-12"
library: udp.so
)";

TEST(Manifest, ReadsWhatThePluginSaysOfItself) {
  const TestFolder folder;
  const auto manifest = read_manifest(ModuleKind::kProtocol, folder.file("plugin.yaml", kWhole));
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->kind, ModuleKind::kProtocol);
  EXPECT_EQ(manifest->name, "udp");
  EXPECT_EQ(manifest->folder, folder.path());
  EXPECT_EQ(manifest->library, "udp.so");
  EXPECT_EQ(manifest->abi, "2 GNU-12");
  EXPECT_EQ(manifest->weight, 10U);
  EXPECT_THAT(manifest->listen, ElementsAre("127.0.0.1:0"));
}

TEST(Manifest, SaysHowTheSystemKnowsPeers) {
  const TestFolder folder;
  const auto read = [&](const std::string& more) {
    return read_manifest(ModuleKind::kProtocol, folder.file("plugin.yaml", kWhole + more));
  };
  EXPECT_EQ(read("")->peers, KnownPeers::kNone);
  EXPECT_EQ(read("peers: loopback\n")->peers, KnownPeers::kLoopback);
  EXPECT_EQ(read("peers: socket_file\n")->peers, KnownPeers::kSocketFile);
  EXPECT_THAT(read("peers: friends\n").error().message, HasSubstr("loopback or socket_file"));
}

TEST(Manifest, IsNotFoundWhereThereIsNoFile) {
  const TestFolder folder;
  const auto manifest = read_manifest(ModuleKind::kService, folder.path("plugin.yaml"));
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, Code::kNotFound);
  EXPECT_THAT(manifest.error().message, HasSubstr(folder.path("plugin.yaml")));
}

struct Mistake {
  std::string what, yaml, said;
};

class ManifestMistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(ManifestMistakeTest, IsRefusedWithItsPlace) {
  const TestFolder folder;
  const auto manifest =
      read_manifest(ModuleKind::kProtocol, folder.file("plugin.yaml", GetParam().yaml));
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, Code::kInvalidArgument);
  EXPECT_THAT(manifest.error().message, HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Each, ManifestMistakeTest,
    testing::Values(Mistake{"NoName", "unload: retire\nabi: a\nlibrary: l\n", "no 'name'"},
                    Mistake{"NoAbi", "name: a\nunload: retire\nlibrary: l\n", "no 'abi'"},
                    Mistake{"UnknownKey", "name: a\nlybrary: l\n", ":2:1"},
                    Mistake{"Unload", "name: a\nunload: never\nabi: a\nlibrary: l\n", "unmap or"},
                    Mistake{"LibraryElsewhere", "name: a\nunload: unmap\nabi: a\nlibrary: ../l\n",
                            "beside its manifest"},
                    Mistake{"NoYaml", "name: [\n", "not YAML"}, Mistake{"Empty", "", "map"}),
    [](const auto& info) { return info.param.what; });

}  // namespace

}  // namespace hector
