// What: YamlNode: every refusal has file, line, column and the nearest right name.
// Why: people write these files by hand.
// Who: base_test.
#include "base/yaml/yaml_node.h"

#include <gtest/gtest.h>

#include <functional>

namespace hector {
namespace {

const std::string kFile = "f.yaml";

/// The refusal's text, or "none".
std::string refusal(const std::string& yaml, const std::function<void(const YamlNode&)>& read) {
  try {
    read(YamlNode(YAML::Load(yaml), kFile, "the document"));
  } catch (const YamlMistake& mistake) {
    return mistake.text;
  }
  return "none";
}

TEST(YamlNode, RefusesUnknownAndRepeatedKeysAtTheirPlace) {
  const auto read = [](const YamlNode& node) { node.only({"name", "kind"}); };
  EXPECT_EQ(refusal("name: a\nkind: b\n", read), "none");
  EXPECT_EQ(refusal("name: a\nkin: b\n", read),
            "f.yaml:2:1: unknown key 'kin' in the document (did you mean 'kind'?); known are name, "
            "kind");
  EXPECT_EQ(refusal("name: a\nname: b\n", read),
            "f.yaml:2:1: key 'name' stands twice in the document");
  EXPECT_EQ(refusal("[a]\n", read), "f.yaml:1:1: the document must be a map of keys to values");
}

TEST(YamlNode, NamesTheWayToAWrongValue) {
  EXPECT_EQ(refusal("a: {b: x}\n",
                    [](const YamlNode& node) {
                      static_cast<void>(node.at("a").at("b").number<int>("a number"));
                    }),
            "f.yaml:1:8: 'b' of 'a' of the document must be a number, not 'x'");
  EXPECT_EQ(
      refusal("a: [b]\n", [](const YamlNode& node) { static_cast<void>(node.at("a").text()); }),
      "f.yaml:1:4: 'a' of the document must be a single value");
  EXPECT_EQ(
      refusal("a: [[b]]\n", [](const YamlNode& node) { static_cast<void>(node.at("a").texts()); }),
      "f.yaml:1:5: an entry of 'a' of the document must be a single value");
}

TEST(YamlNode, GivesEachEntryOnceWithItsName) {
  std::string seen;
  const auto read = [&](const YamlNode& node) {
    node.each("role", [&](const std::string& name, const YamlNode& value, const YamlNode& at) {
      seen += name + "=" + value.text() + "@" + std::to_string(at.line()) + " ";
    });
  };
  EXPECT_EQ(refusal("a: 1\nb: 2\n", read), "none");
  EXPECT_EQ(seen, "a=1@1 b=2@2 ");
  EXPECT_EQ(refusal("a: 1\nb: 2\na: 3\n", read), "f.yaml:3:1: role 'a' stands twice");
}

TEST(YamlNode, HasDefaults) {
  const YamlNode node(YAML::Load("a: yes\n"), kFile, "the document");
  EXPECT_EQ(node.text_or("a", "b"), "yes");
  EXPECT_EQ(node.text_or("c", "b"), "b");
  EXPECT_TRUE(node.at("a").truth());
  EXPECT_FALSE(node.has("c"));
}

}  // namespace
}  // namespace hector
