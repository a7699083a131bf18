// What: which descriptions of templates load, by their size and version.
// Why: a template that was built before hector_template grew keeps loading; a foreign one is
// refused with words.
// Who: ctest.
#include <gmock/gmock.h>

#include <cstdlib>

#include "hector/plugin.h"

extern "C" const hector_plugin hector_plugin_v1;

namespace hector {
namespace {

Result<std::unique_ptr<TemplateCode>> load(const std::string& name) {
  const std::unique_ptr<Language> language(hector_plugin_v1.make_language({}));
  return language->load(std::string(CPP_TEMPLATES) + "/" + name + ".so");
}

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

}  // namespace
}  // namespace hector
