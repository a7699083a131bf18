// What: Templates with a language that reads a template's name from its file.
// Why: which build an Object is made of, and which Objects hold which build, must stay right while
// builds follow each other.
// Who: ctest.
#include "capsule/templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "simulation.h"

namespace hector {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReadCode final : public TemplateCode {
 public:
  ReadCode(const std::string& path, bool is_digested) {
    std::ifstream file(path);
    file >> info_.name;
    std::string rest;
    file >> rest;
    if (is_digested) info_.digest = std::string(64, rest.at(0));
    type::v1::Interface model;
    model.set_name("t.Nothing");
    model.set_major(1);
    info_.type_model = model.SerializeAsString();
    info_.interface_id = "t.Nothing/1";
  }
  const TemplateInfo& info() const noexcept override { return info_; }
  Result<std::unique_ptr<Servant>> instantiate(Capsule&, InterfacePtr,
                                               const std::string&) override {
    return fail(Error::unimplemented("nothing is made here"));
  }

 private:
  TemplateInfo info_;
};

class ReadLanguage final : public Language {
 public:
  explicit ReadLanguage(const bool& is_digested) : is_digested_(is_digested) {}
  const std::vector<std::string>& formats() const noexcept override { return formats_; }
  Result<std::unique_ptr<TemplateCode>> load(const std::string& path) override {
    return std::unique_ptr<TemplateCode>(std::make_unique<ReadCode>(path, is_digested_));
  }

 private:
  const bool& is_digested_;
  std::vector<std::string> formats_{".t"};
};

class TemplatesTest : public ::testing::Test {
 protected:
  TemplatesTest() {
    std::string made = (fs::temp_directory_path() / "hector-templates-XXXXXX").string();
    EXPECT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
    EXPECT_TRUE(templates_.add_language("read", std::make_unique<ReadLanguage>(is_digested_)));
  }
  ~TemplatesTest() override { fs::remove_all(folder_); }

  Result<Templates::Loaded> load(const std::string& text) {
    const std::string path = (folder_ / "x.t").string();
    std::ofstream(path, std::ios::trunc) << text;
    return templates_.load(path);
  }
  /// An Object that serves, of the build that has the name now.
  OfferPtr make(const std::string& template_name, const std::string& object) {
    const auto reserved = templates_.reserve(template_name, object, nullptr);
    EXPECT_TRUE(reserved);
    auto offer = std::make_shared<Offer>();
    offer->id = ++last_id_;
    offer->object = object;
    type::v1::Interface model;
    model.set_name("t.Nothing");
    model.set_major(1);
    offer->interface = *types::CompiledInterface::make(model);
    offer->host = std::make_shared<ObjectHost>(HostOptions{.name = object, .executor = &world_});
    EXPECT_TRUE(registry_.commit(reserved->record, offer));
    return offer;
  }
  void end(const OfferPtr& offer) { registry_.destroy(*registry_.retire(offer)); }
  std::vector<std::string> rows() {
    std::vector<std::string> rows;
    for (const auto& each : templates_.list())
      rows.push_back(each.name + " " + std::to_string(each.objects) +
                     (each.is_replaced ? " replaced" : ""));
    return rows;
  }

  bool is_digested_ = true;
  testing::Simulation world_{1};
  types::Repository types_;
  OfferTable offers_;
  ObjectRegistry registry_{offers_};
  Templates templates_{types_, registry_, world_};
  fs::path folder_;
  std::uint64_t last_id_ = 0;
};

TEST_F(TemplatesTest, ShowTheBuildOfWhatIsLoaded) {
  EXPECT_EQ(load("t.A 1")->effects, Effects{});
  const auto listed = templates_.list();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].build.size(), 12U);
}

TEST_F(TemplatesTest, KeepTheBuildThatIsLoadedAgain) {
  ASSERT_TRUE(load("t.A 1"));
  const auto ana = make("t.A", "ana");
  const auto again = load("t.A 1");
  ASSERT_TRUE(again);
  ASSERT_EQ(again->effects.size(), 1U);
  EXPECT_THAT(again->effects[0], HasSubstr("is loaded already"));
  EXPECT_THAT(rows(), ElementsAre("t.A 1"));
  end(ana);
}

TEST_F(TemplatesTest, TakeTheSameFileForANewBuildWhereTheLanguageCannotTell) {
  is_digested_ = false;
  ASSERT_TRUE(load("t.A 1"));
  const auto ana = make("t.A", "ana");
  const auto again = load("t.A 1");
  ASSERT_TRUE(again);
  EXPECT_THAT(again->effects[0], HasSubstr("takes the place of build"));
  EXPECT_THAT(rows(), ElementsAre("t.A 0", "t.A 1 replaced"));
  end(ana);
}

TEST_F(TemplatesTest, MakeObjectsOfTheNewBuildAndNameThoseOfTheOldOne) {
  ASSERT_TRUE(load("t.A 1"));
  const auto ana = make("t.A", "ana");
  const auto next = load("t.A 2");
  ASSERT_TRUE(next);
  ASSERT_EQ(next->effects.size(), 2U);
  EXPECT_THAT(next->effects[0], HasSubstr("takes the place of build"));
  EXPECT_THAT(next->effects[1], HasSubstr("Object ana stays what it is"));
  const auto ben = make("t.A", "ben");
  EXPECT_THAT(rows(), ElementsAre("t.A 1", "t.A 1 replaced"));
  end(ana);
  EXPECT_THAT(rows(), ElementsAre("t.A 1"));
  end(ben);
  EXPECT_THAT(rows(), ElementsAre("t.A 0"));
}

TEST_F(TemplatesTest, AreNotUnloadedWhileAnObjectOfAnOldBuildIsLeft) {
  ASSERT_TRUE(load("t.A 1"));
  const auto ana = make("t.A", "ana");
  ASSERT_TRUE(load("t.A 2"));
  const auto refused = templates_.unload("t.A", Unload::kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().reasons, ElementsAre("Object ana"));
  EXPECT_FALSE(templates_.unload_language("read", Unload::kNow));
  end(ana);
  EXPECT_TRUE(templates_.unload("t.A", Unload::kNow));
  EXPECT_TRUE(templates_.unload_language("read", Unload::kNow));
}

TEST_F(TemplatesTest, ReplaceABuildWithoutObjectsForGood) {
  ASSERT_TRUE(load("t.A 1"));
  ASSERT_TRUE(load("t.A 2"));
  EXPECT_THAT(rows(), ElementsAre("t.A 0"));
}

}  // namespace
}  // namespace hector
