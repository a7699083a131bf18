#include "process/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/test_folder.h"

namespace hector {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Configuration> read(const TestFolder& folder, const std::string& yaml) {
  return read_configuration(folder.file("capsule.yaml", yaml), "/opt/hector");
}

TEST(Configuration, ReadsModulesWithTheirAddressesAndSettings) {
  const TestFolder folder;
  const auto c = read(folder, R"(capsule: north
protocols:
  udp: {listen: "127.0.0.1:7300", settings: {window: 64, name: "08"}}
  grpc: {listen: [a, b]}
languages: [python]
services:
  naming: embedded
  trading: {joined: hub}
)");
  ASSERT_TRUE(c) << c.error().text();
  EXPECT_EQ(c->capsule, "north");
  ASSERT_EQ(c->protocols.size(), 2U);
  EXPECT_THAT(c->protocols[0].listen, ElementsAre("127.0.0.1:7300"));
  EXPECT_EQ(c->protocols[0].settings, R"({"window":64,"name":"08"})");
  EXPECT_THAT(c->protocols[1].listen, ElementsAre("a", "b"));
  EXPECT_EQ(c->languages[0].name, "python");
  EXPECT_EQ(c->services[0].joined, "");
  EXPECT_EQ(c->services[1].joined, "hub");
}

TEST(Configuration, IsOneDocument) {
  const TestFolder folder;
  for (const char* one : {"capsule: a\n", "---\ncapsule: a\n", "# first\n---\ncapsule: a\n...\n",
                          "%YAML 1.2\n---\ncapsule: a\n", "capsule: a\nprincipal: \"---\"\n"})
    EXPECT_TRUE(read(folder, one)) << one << read(folder, one).error().text();
  for (const char* two :
       {"capsule: a\n---\nservices: {naming: embedded}\n", "---\ncapsule: a\n---\ncapsule: b\n",
        "capsule: a\n---\n", "capsule: a\n...\n---\nstore: memory\n", "capsule: a\n--- {}\n"}) {
    const auto refused = read(folder, two);
    ASSERT_FALSE(refused) << two;
    EXPECT_THAT(refused.error().message, HasSubstr("another one begins here"));
  }
  EXPECT_THAT(read(folder, "capsule: a\n---\nstore: memory\n").error().message,
              HasSubstr("capsule.yaml:2:1"));
}

TEST(Configuration, TakesRelativePathsFromItsOwnFolderAndVariablesFromTheEnvironment) {
  const TestFolder folder;
  const auto c = read(folder,
                      "capsule: a\ntypes: [x.yaml, \"${HECTOR_PREFIX}/y.yaml\"]\n"
                      "store: sqlite:state.db\n");
  ASSERT_TRUE(c) << c.error().text();
  EXPECT_THAT(c->types, ElementsAre(folder.path("x.yaml"), "/opt/hector/y.yaml"));
  EXPECT_EQ(c->store, "sqlite:" + folder.path("state.db"));
}

TEST(Configuration, LeavesTheUrlOfAStoreAsItIs) {
  const TestFolder folder;
  const auto c = read(folder, "capsule: a\nstore: etcd://host:2379/p\n");
  ASSERT_TRUE(c) << c.error().text();
  EXPECT_EQ(c->store, "etcd://host:2379/p");
}

TEST(Configuration, ReadsObjectsWithArgumentsAsJson) {
  const TestFolder folder;
  const auto c = read(folder, R"(capsule: a
objects:
  - {template: t, name: o, arguments: {seats: 8, tags: [x, true]}, properties: {cost: 12.5}}
)");
  ASSERT_TRUE(c) << c.error().text();
  EXPECT_EQ(c->objects[0].arguments, R"({"seats":8,"tags":["x",true]})");
  EXPECT_EQ(c->objects[0].properties.at("cost"), "12.5");
}

TEST(Configuration, ReadsLimitsInMilliseconds) {
  const TestFolder folder;
  const auto c = read(folder, "capsule: a\nlimits: {deadline_ms: 250, drain_ms: 0}\n");
  ASSERT_TRUE(c) << c.error().text();
  EXPECT_EQ(c->default_deadline, std::chrono::milliseconds(250));
  EXPECT_EQ(c->drain_grace, std::chrono::milliseconds(0));
}

TEST(Configuration, RequiresRightsOrDoesNotAskForThem) {
  TestFolder folder;
  EXPECT_EQ(read(folder, "capsule: a\n")->rights, RightsMode::kNotAsked);
  EXPECT_EQ(read(folder, "capsule: a\nrights: required\n")->rights, RightsMode::kRequired);
  EXPECT_EQ(read(folder, "capsule: a\nrights: not asked\n")->rights, RightsMode::kNotAsked);
  for (const char* other : {"yes", "Required", "true", "[required]"})
    EXPECT_FALSE(read(folder, std::string("capsule: a\nrights: ") + other + "\n")) << other;
}
TEST(Configuration, IsNotFoundWhereThereIsNoFile) {
  EXPECT_EQ(read_configuration("/nowhere/capsule.yaml", "/").error().code, Code::kNotFound);
}

TEST(Configuration, IsRefusedAboveItsLimitOfOneMebibyte) {
  const TestFolder folder;
  const std::string head = "capsule: a\n#";
  EXPECT_TRUE(read(folder, head + std::string(1024 * 1024 - head.size(), 'x')));
  const auto c = read(folder, head + std::string(1024 * 1024 - head.size() + 1, 'x'));
  ASSERT_FALSE(c);
  EXPECT_THAT(c.error().message, HasSubstr("1048576 are allowed"));
}

struct Mistake {
  std::string what, yaml, said;
};

class ConfigurationMistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(ConfigurationMistakeTest, IsRefusedWithItsPlace) {
  const TestFolder folder;
  const auto c = read(folder, GetParam().yaml);
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().code, Code::kInvalidArgument);
  EXPECT_THAT(c.error().message, HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Each, ConfigurationMistakeTest,
    testing::Values(
        Mistake{"NoName", "protocols: [udp]\n", "capsule: NAME"},
        Mistake{"UnknownKey", "capsule: a\nprotocol: [udp]\n", "capsule.yaml:2:1"},
        Mistake{"LogFormat", "capsule: a\nlog: {format: xml}\n", "text or json"},
        Mistake{"LogLevel", "capsule: a\nlog: {level: warn}\n", "warning, error"},
        Mistake{"Service", "capsule: a\nservices: {naming: maybe}\n", "not 'maybe'"},
        Mistake{"ObjectWithoutName", "capsule: a\nobjects: [{template: t}]\n", "no 'name'"},
        Mistake{"ObjectsNoList", "capsule: a\nobjects: {}\n", "is a list"},
        Mistake{"Variable", "capsule: a\ntypes: [$HECTOR_TEST_MISSING/x]\n", "has no HECTOR_TEST"},
        Mistake{"Brace", "capsule: a\ntypes: [\"${X\"]\n", "without '}'"},
        Mistake{"Limit", "capsule: a\nlimits: {drain_ms: soon}\n", "milliseconds"},
        Mistake{"NoYaml", "capsule: [\n", "not YAML"}),
    [](const auto& info) { return info.param.what; });

TEST(Configuration, TakesArgumentsAndSettingsAsMapsOnly) {
  const TestFolder folder;
  const std::string object = "capsule: a\nobjects:\n  - template: t.T\n    name: o\n    arguments:";
  EXPECT_EQ(read(folder, object + " {n: 08}\n")->objects[0].arguments, R"({"n":8})");
  EXPECT_EQ(read(folder, object + "\n")->objects[0].arguments, "{}");
  for (const char* other : {" [1]\n", " 7\n", " text\n"})
    EXPECT_THAT(read(folder, object + other).error().message,
                HasSubstr("capsule.yaml:5:16: 'arguments' of an object must be a map"));
  EXPECT_THAT(read(folder, "capsule: a\nprotocols: {udp: {settings: [1]}}\n").error().message,
              HasSubstr("must be a map of names to values"));
}

}  // namespace

}  // namespace hector
