// What: what a reload finds changed.
// Why: a module that is taken for changed is unloaded under its calls; one that is not is
// forgotten. Who: capsule_test.
#include "process/configuration_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Configuration some() {
  Configuration c;
  c.capsule = "hub";
  c.store = "memory";
  c.protocols = {{"grpc", {"127.0.0.1:1"}, "{}"}, {"udp", {"127.0.0.1:2"}, "{}"}};
  c.languages = {{"cpp", {}, "{}"}};
  c.services = {{"naming", "", "{}"}, {"trading", "", "{}"}};
  c.templates = {"/t/a.so", "/t/b.py"};
  CreateOptions object;
  object.template_name = "t.A";
  object.name = "a";
  c.objects = {object};
  return c;
}

template <class Settings>
std::vector<std::string> names(const std::vector<Settings>& list) {
  std::vector<std::string> all;
  for (const auto& each : list) all.push_back(each.name);
  return all;
}

TEST(ConfigurationChange, IsNothingWhereNothingChanged) {
  const auto change = change_between(some(), some());
  EXPECT_THAT(names(change.protocols.come), IsEmpty());
  EXPECT_THAT(names(change.protocols.differ), IsEmpty());
  EXPECT_THAT(change.protocols.go, IsEmpty());
  EXPECT_THAT(names(change.services.differ), IsEmpty());
  EXPECT_THAT(names(change.objects.differ), IsEmpty());
  EXPECT_THAT(change.templates_go, IsEmpty());
  EXPECT_THAT(change.need_a_restart, IsEmpty());
}

TEST(ConfigurationChange, NamesWhatComesGoesAndDiffers) {
  Configuration now = some();
  now.protocols = {{"udp", {"127.0.0.1:3"}, "{}"}, {"zenoh", {}, "{}"}};
  now.languages = {{"cpp", {}, R"({"a":1})"}};
  now.services = {{"naming", "north", "{}"}, {"policy", "", "{}"}};
  now.templates = {"/t/b.py", "/t/c.py"};
  const auto change = change_between(some(), now);
  EXPECT_THAT(names(change.protocols.come), ElementsAre("zenoh"));
  EXPECT_THAT(names(change.protocols.differ), ElementsAre("udp"));
  EXPECT_THAT(change.protocols.go, ElementsAre("grpc"));
  EXPECT_THAT(names(change.languages.differ), ElementsAre("cpp"));
  EXPECT_THAT(names(change.services.come), ElementsAre("policy"));
  EXPECT_THAT(names(change.services.differ), ElementsAre("naming"));
  EXPECT_THAT(change.services.go, ElementsAre("trading"));
  EXPECT_THAT(change.templates_go, ElementsAre("/t/a.so"));
}

TEST(ConfigurationChange, SeesEachFieldOfAnObject) {
  for (const auto& change_one : {+[](CreateOptions& o) { o.template_name = "t.B"; },
                                 +[](CreateOptions& o) { o.arguments = R"({"n":1})"; },
                                 +[](CreateOptions& o) { o.properties["floor"] = "3"; }}) {
    Configuration now = some();
    change_one(now.objects[0]);
    EXPECT_THAT(names(change_between(some(), now).objects.differ), ElementsAre("a"));
  }
  Configuration now = some();
  now.objects[0].name = "b";
  const auto change = change_between(some(), now);
  EXPECT_THAT(names(change.objects.come), ElementsAre("b"));
  EXPECT_THAT(change.objects.go, ElementsAre("a"));
}

TEST(ConfigurationChange, NamesTheKeysThatNeedARestart) {
  Configuration now = some();
  now.capsule = "other";
  now.principal = "ann";
  now.run_directory = "/run/x";
  now.store = "sqlite:/x";
  now.log_format = LogFormat::kJson;
  EXPECT_THAT(change_between(some(), now).need_a_restart,
              ElementsAre("capsule", "principal", "run_directory", "store", "log.format"));
}

}  // namespace

}  // namespace hector
