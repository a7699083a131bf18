// Chains of contexts, final entries, bundles, and what explain says: X12, X13.
#include "contexts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PolicyContexts : public ::testing::Test {
 protected:
  void put(const std::string& context, const std::string& spec, const std::string& value,
           bool is_final = false, std::int64_t until = 0) {
    Entry entry{spec, value, 0, is_final, until};
    write("e/" + context + " " + spec, model_of(entry, context).SerializeAsString());
  }
  void chain(const std::string& context, const std::vector<std::string>& next) {
    v1::PolicyChain model;
    for (const auto& each : next) model.add_contexts(each);
    write("c/" + context, model.SerializeAsString());
  }
  void write(const std::string& key, const std::string& value) {
    contexts_.apply({StoreEvent::Kind::kPut, {key, Bytes::copy(value), 1, ++revision_, 1, 0}, {}});
    contexts_.applied(revision_);
  }
  std::string get(const std::string& name = "x.a.b", const std::string& class_name = "X.A.B",
                  const std::string& start = "object:o") {
    auto question = contexts_.question(name, class_name, contexts_.chain_of(start, place_));
    if (!question) return question.error().type;
    const Found found = contexts_.get(*question);
    return found.entry == nullptr ? "-" : found.entry->value;
  }

  std::int64_t now_ = 1'000;
  Contexts contexts_{[this] { return now_; }};
  Place place_{"north", "h", "net"};
  Revision revision_ = 0;
};

TEST_F(PolicyContexts, X12_TheFirstContextWithAMatchCountsAndAMergedViewIsAnotherThing) {
  put("host:h", "*b", "host");
  put("enterprise", "x.a.b", "ent");
  EXPECT_EQ(get(), "host");
  const auto merged = contexts_.merged(contexts_.chain_of("object:o", place_));
  Quarks quarks;
  Database view(quarks);
  for (const auto& entry : merged.entries())
    ASSERT_TRUE(view.put({entry.spec(), entry.value(), 0, false, 0}));
  EXPECT_EQ(view.get({quarks.find("x"), quarks.find("a"), quarks.find("b")}, {0, 0, 0})->value,
            "ent");
}

TEST_F(PolicyContexts, X13_AFinalEntryOfAnOuterContextOverrides) {
  put("host:h", "*b", "host");
  put("enterprise", "x.a.b", "ent", true);
  EXPECT_EQ(get(), "ent");
  put("network:net", "*b", "net", true);
  EXPECT_EQ(get(), "ent") << "the outermost final one";
}

TEST_F(PolicyContexts, ChainsAreConfigurableAndNoneComesAfterItself) {
  EXPECT_THAT(contexts_.chain_of("object:o", place_),
              ElementsAre("object:o", "capsule:north", "host:h", "network:net", "enterprise"));
  chain("capsule:north", {"enterprise", "host:h"});
  EXPECT_THAT(contexts_.chain_of("object:o", place_),
              ElementsAre("object:o", "capsule:north", "enterprise", "host:h", "network:net"));
  put("host:h", "*b", "host");
  put("enterprise", "*b", "ent");
  EXPECT_EQ(get(), "ent");
  EXPECT_TRUE(contexts_.makes_cycle("enterprise", {"host:h"}, place_));
  EXPECT_TRUE(contexts_.makes_cycle("enterprise", {"enterprise"}, place_));
  EXPECT_FALSE(contexts_.makes_cycle("capsule:north", {"network:other"}, place_));
}

TEST_F(PolicyContexts, WhatIsOverDoesNotCount) {
  put("capsule:north", "*b", "capsule");
  put("object:o", "x.a.b", "soon over", false, 2'000);
  EXPECT_EQ(get(), "soon over");
  now_ = 2'000;
  EXPECT_EQ(get(), "capsule");
}

TEST_F(PolicyContexts, ABundleIsTheBaseOfItsContext) {
  write("b/enterprise 0", "! hector-bundle version 3 expires 2030-01-01T00:00:00Z\n*b: from");
  EXPECT_EQ(get(), "from");
  write("b/enterprise 1", " the bundle\nx.a.c: 2\n");
  EXPECT_EQ(get(), "from the bundle") << "its parts are one text";
  EXPECT_EQ(get("x.a.c", "X.A.C"), "2");
  put("enterprise", "*b", "put");
  EXPECT_EQ(get(), "put");
  EXPECT_EQ(contexts_.bundle_version("enterprise"), 3U);
  EXPECT_EQ(contexts_.bundle_parts("enterprise"), 2U);
}

TEST_F(PolicyContexts, ABundlesHeadIsExact) {
  EXPECT_EQ(read_bundle_head("! hector-bundle version 12\nx: 1\n")->version, 12U);
  EXPECT_EQ(read_bundle_head("\xEF\xBB\xBF! hector-bundle version 12\r\nx: 1\r\n")->version, 12U);
  EXPECT_EQ(
      read_bundle_head("! hector-bundle version 12 expires 2027-01-31T00:00:00Z\n")->expires_s,
      1801353600);
  for (const char* each :
       {"", "x: 1", "! hector-bundle", "! hector-bundle version", "! hector-bundle version 1 x",
        "! hector-bundle version 1 expires", "! hector-bundle version 1 expires tomorrow"}) {
    EXPECT_EQ(read_bundle_head(each).error().type, "BAD_BUNDLE") << each;
  }
}

TEST_F(PolicyContexts, ExplainNamesTheLevelAtWhichEachLost) {
  put("capsule:north", "x.a.b", "exact");
  put("capsule:north", "x.?.b", "any");
  put("capsule:north", "x*b", "skip");
  put("enterprise", "*b", "far");
  auto question = contexts_.question("x.a.b", "X.A.B", contexts_.chain_of("object:o", place_));
  const auto explanation = contexts_.explain(*question);
  ASSERT_EQ(explanation.candidates_size(), 4);
  EXPECT_TRUE(explanation.candidates(0).counts());
  EXPECT_EQ(explanation.candidates(1).lost_at(), 2U);
  EXPECT_THAT(explanation.candidates(1).why(),
              HasSubstr("at level 2 it has any one component, a better one has the name"));
  EXPECT_THAT(explanation.candidates(2).why(), HasSubstr("at level 2 it has a skip"));
  EXPECT_THAT(explanation.candidates(3).why(), HasSubstr("capsule:north is nearer"));
  put("enterprise", "*b", "far", true);
  EXPECT_THAT(contexts_.explain(*question).candidates(3).why(), HasSubstr("final: it overrides"));
  EXPECT_THAT(contexts_.explain(*question).candidates(0).why(),
              HasSubstr("enterprise has a final one"));
}

TEST_F(PolicyContexts, EnumerateFindsWhatMayGoOn) {
  for (const char* spec : {"x.a.b", "x*c", "x.q.b", "*d", "x.a.b.e", "y"})
    put("enterprise", spec, "1");
  const auto names = [&](const std::string& name, const std::string& class_name, bool one_level) {
    auto question = contexts_.question(name, class_name, {"enterprise"});
    std::vector<std::string> list;
    const auto found = contexts_.enumerate(*question, one_level);
    for (const auto& entry : found.entries()) list.push_back(entry.spec());
    std::sort(list.begin(), list.end());
    return list;
  };
  EXPECT_THAT(names("x.a", "X.A", true), ElementsAre("*d", "x*c", "x.a.b"));
  EXPECT_THAT(names("x.a", "X.A", false), ElementsAre("*d", "x*c", "x.a.b", "x.a.b.e"));
}

TEST_F(PolicyContexts, WhatIsRememberedIsForgottenWithTheFirstChange) {
  int made = 0;
  const auto ask = [&] {
    const auto found = contexts_.get("x", [&] {
      ++made;
      return contexts_.question("x.a.b", "X.A.B", contexts_.chain_of("object:o", place_));
    });
    return found->entry == nullptr ? "-" : found->entry->value;
  };
  EXPECT_EQ(ask(), "-");
  EXPECT_EQ(ask(), "-");
  EXPECT_EQ(made, 1);
  put("enterprise", "*b", "ent");
  EXPECT_EQ(ask(), "ent");
  put("object:o", "*b", "own", false, 2'000);
  EXPECT_EQ(ask(), "own");
  now_ = 2'000;
  EXPECT_EQ(ask(), "ent") << "where something expires nothing is remembered";
}

TEST_F(PolicyContexts, KeysThatDoNotGoTogetherAreRefused) {
  EXPECT_EQ(get("x.a", "X"), "BAD_KEY");
  EXPECT_EQ(get("x..a", "X.Y.Z"), "BAD_KEY");
  for (const char* each : {"", "object", "object:", "elsewhere:x", "enterprise:x", "host:a b"})
    EXPECT_EQ(check_context(each).error().type, "BAD_CONTEXT") << each;
  for (const char* each : {"object:o", "enterprise", "network:n"})
    EXPECT_TRUE(check_context(each)) << each;
}

}  // namespace
}  // namespace hector::policy
