// What: tests of Catalogue: what it makes of the store's events.
// Why: the Type service's answers are what stands here, whatever order the events come in.
// Who: ctest, in type_test.
#include "catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::type_service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CatalogueTest : public ::testing::Test {
 protected:
  void put(const std::string& key, const google::protobuf::MessageLite& value) {
    StoreEvent event;
    event.entry.key = key;
    event.entry.value = Bytes::take(value.SerializeAsString());
    event.entry.created = event.entry.modified = ++revision_;
    catalogue.apply(event);
  }
  void erase(const std::string& key) {
    StoreEvent event{StoreEvent::Kind::kErase, {}, {}};
    event.entry.key = key;
    event.entry.modified = ++revision_;
    catalogue.apply(event);
  }
  Revision define(const std::string& name, std::uint64_t version,
                  const std::vector<std::string>& uses = {}) {
    v1::TypeVersion model;
    model.set_id(name + "-id-" + std::to_string(version));
    model.set_name(name);
    model.set_version(version);
    for (const auto& each : uses) model.add_uses(each);
    put(version_key(name, version), model);
    return revision_;
  }
  [[nodiscard]] std::uint64_t version_of(const std::string& name_or_id, std::uint64_t version = 0,
                                         Revision at = 0) const {
    const auto* const found = catalogue.find(name_or_id, version, at);
    return found == nullptr ? 0 : found->model.version();
  }
  Catalogue catalogue;

 private:
  Revision revision_ = 0;
};

TEST_F(CatalogueTest, FindsAVersionByNameNumberAndId) {
  define("t.A", 1);
  define("t.A", 2);
  EXPECT_EQ(version_of("t.A"), 2U);
  EXPECT_EQ(version_of("t.A", 1), 1U);
  EXPECT_EQ(version_of("t.A-id-1"), 1U);
  EXPECT_EQ(version_of("t.A", 3), 0U);
  EXPECT_EQ(version_of("t.B"), 0U);
}

/// As text, 10 would come before 9.
TEST_F(CatalogueTest, KnowsTheLatestOfManyVersionsByItsNumber) {
  for (std::uint64_t version = 1; version <= 17; ++version) define("t.A", version);
  EXPECT_EQ(version_of("t.A"), 17U);
  EXPECT_LT(version_key("t.A", 9), version_key("t.A", 10));
}

TEST_F(CatalogueTest, FindsTheLatestAsItWasAtARevision) {
  const Revision first = define("t.A", 1);
  const Revision second = define("t.A", 2);
  EXPECT_EQ(version_of("t.A", 0, first), 1U);
  EXPECT_EQ(version_of("t.A", 0, second), 2U);
  EXPECT_EQ(version_of("t.A", 0, first - 1), 2U) << "0 is now";
}

TEST_F(CatalogueTest, ForgetsAVersionWithItsId) {
  define("t.A", 1);
  define("t.A", 2);
  erase(version_key("t.A", 2));
  EXPECT_EQ(version_of("t.A"), 1U);
  EXPECT_EQ(version_of("t.A-id-2"), 0U);
}

TEST_F(CatalogueTest, ForgetsATypeWithAllItsVersionsInWhateverOrder) {
  for (const bool name_first : {true, false}) {
    v1::TypeNameState state;
    put("m/t.A", state);
    define("t.A", 1);
    if (name_first) erase("m/t.A");
    erase(version_key("t.A", 1));
    if (!name_first) erase("m/t.A");
    EXPECT_EQ(version_of("t.A"), 0U);
    EXPECT_EQ(version_of("t.A-id-1"), 0U);
    EXPECT_EQ(catalogue.size(), 0U);
  }
}

TEST_F(CatalogueTest, NamesTheUsersOfATypeByTheirLatestVersions) {
  define("t.A", 1);
  define("t.User", 1, {"t.A"});
  define("t.ById", 1, {"t.A-id-1"});
  define("t.NoLonger", 1, {"t.A"});
  define("t.NoLonger", 2);
  EXPECT_THAT(catalogue.usages("t.A"), ElementsAre("t.ById", "t.User"));
  EXPECT_THAT(catalogue.usages("t.A-id-1"), ElementsAre("t.ById", "t.User"));
  EXPECT_THAT(catalogue.usages("t.User"), IsEmpty());
}

TEST_F(CatalogueTest, ListsNamesThatHaveVersionsByTheirPrefix) {
  v1::TypeNameState state;
  put("m/t.Empty", state);
  define("t.B", 1);
  define("t.A", 1);
  define("u.A", 1);
  EXPECT_THAT(catalogue.names("t.", 10), ElementsAre("t.A", "t.B"));
  EXPECT_THAT(catalogue.names("t.", 1), ElementsAre("t.A"));
}

TEST_F(CatalogueTest, KeepsModulesByTheirKey) {
  v1::TypeModule module;
  module.set_name("tools");
  const std::string key = module_key("python", "tools", "cp311");
  put(key, module);
  ASSERT_NE(catalogue.module(key), nullptr);
  EXPECT_EQ(catalogue.module(key)->revision(), 1);
  EXPECT_EQ(catalogue.module(module_key("python", "tools", "")), nullptr);
  erase(key);
  EXPECT_EQ(catalogue.module(key), nullptr);
}

}  // namespace
}  // namespace hector::type_service
