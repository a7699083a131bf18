#include "hero_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "objects/forwarding.h"

namespace hector::heros {

using objects::json_text;
using objects::kReference;

namespace {

/// A property is to be searched for; longer metadata are documents.
constexpr std::size_t kMetadataOctetsMax = 10'000;

std::string json_list(const std::vector<std::string>& texts) {
  std::string made = "[";
  for (const auto& each : texts) made += (made.size() > 1 ? ", " : "") + json_text(each);
  return made + "]";
}

}  // namespace

std::string object_name_of(const std::string& hero) {
  std::string name = hero;
  std::replace_if(
      name.begin(), name.end(),
      [](char each) {
        return each == '.' || each == ' ' || each == '\\' ||
               static_cast<unsigned char>(each) < 0x20;
      },
      '-');
  return name.starts_with('_') ? "hero" + name : name;
}

std::string interface_name_of(const std::string& realm, const std::string& class_name) {
  const std::string named = objects::identifier_of(class_name).value_or("Object");
  if (realm == "heros") return "hero." + named;
  return fmt::format("hero.{}.{}", objects::identifier_of(realm).value_or("realm"), named);
}

std::map<std::string, std::string> properties_of(const std::string& realm, const Discovered& hero) {
  std::map<std::string, std::string> properties{{"realm", json_text(realm)},
                                                {"hero", json_text(hero.name)},
                                                {"class", json_text(hero.class_name)},
                                                {"tags", json_list(hero.tags)},
                                                {"implements", json_list(hero.implements)}};
  for (const auto& [key, text] : hero.metadata) {
    const auto name = objects::identifier_of(key);
    if (name && key != kReference && text.size() < kMetadataOctetsMax)
      properties.emplace("meta_" + *name, json_text(text));
  }
  return properties;
}

Result<Reference> reference_of(const Discovered& hero) {
  const auto found = hero.metadata.find(kReference);
  if (found == hero.metadata.end())
    return fail(Error::not_found("the HERO's metadata have no reference"));
  return Reference::from_text(found->second);
}

bool is_capsules(const Discovered& hero) {
  return std::any_of(hero.tags.begin(), hero.tags.end(),
                     [](const auto& tag) { return tag.starts_with("_hector:"); });
}

}  // namespace hector::heros
