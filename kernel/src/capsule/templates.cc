#include "capsule/templates.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text/nearest.h"
#include "base/text/read_file.h"
#include "hector/check.h"
#include "hector/sha256.h"

namespace hector {

namespace fs = std::filesystem;

namespace {

std::string unloaded(const std::string& name, Unload mode) {
  return fmt::format("template {} {}", name,
                     mode == Unload::kDryRun ? "would be unloaded" : "unloaded");
}

}  // namespace

Status Templates::add_language(const std::string& name, std::unique_ptr<Language> language) {
  HECTOR_CHECK(language != nullptr, "a language without code is added");
  const std::lock_guard lock(mutex_);
  if (!languages_.emplace(name, std::move(language)).second)
    return fail(Error::already_exists(fmt::format("language '{}' is loaded already", name)));
  return {};
}

// --- loading
// ----------------------------------------------------------------------------------------------

Result<Templates::Runner> Templates::runner_of(const std::string& path) const {
  const std::string ending = fs::path(path).extension().string();
  std::vector<std::string> known;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, language] : languages_) {
    for (const auto& format : language->formats()) {
      if (format == ending) return Runner{language.get(), name};
      known.push_back(format);
    }
  }
  return fail(Error::invalid_argument(
      fmt::format("no loaded language runs '{}' files ({}); formats are {}", ending, path,
                  known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")))));
}

Result<types::CompiledPtr> Templates::interface_of(const TemplateInfo& info,
                                                   const std::string& path) {
  if (!info.type_yaml.empty()) {
    const std::string folder = fs::absolute(path).parent_path().string();
    if (auto ids =
            types_.load_text(info.type_yaml, path + " (its type)", folder, "template " + path);
        !ids)
      return fail(ids.error());
  } else if (!info.type_model.empty()) {
    hector::type::v1::Interface model;
    if (!model.ParseFromString(info.type_model))
      return fail(Error::invalid_argument(fmt::format("{}: its type model is malformed", path)));
    HECTOR_TRY(types_.add(std::move(model), "template " + path));
  }
  auto found = types_.interface(info.interface_id);
  if (found) return *found;
  Error error = found.error();
  error.message = fmt::format("template {}: {}", info.name, error.message);
  return fail(std::move(error));
}

void Templates::forget_unused() {
  std::erase_if(replaced_, [this](const auto& each) { return objects_.count_of(*each) == 0; });
}

Effects Templates::take_place(std::unique_ptr<LoadedTemplate>& slot,
                              std::unique_ptr<LoadedTemplate> loaded) {
  HECTOR_CHECK(loaded != nullptr && loaded->interface != nullptr,
               "a template without an Interface takes a place");
  // Only a language that digests all code of a template can say that nothing has changed.
  const bool is_digested = !loaded->code->info().digest.empty();
  if (slot && is_digested && slot->digest == loaded->digest && slot->language == loaded->language)
    return {fmt::format("build {} is loaded already", slot->build())};
  Effects effects;
  if (slot) {
    const auto objects = objects_.objects_of(*slot);
    effects.push_back(
        fmt::format("build {} takes the place of build {}", loaded->build(), slot->build()));
    for (const auto& object : objects)
      effects.push_back(
          fmt::format("Object {} stays what it is, of build {}; delete and create it "
                      "to have the new one",
                      object, slot->build()));
    if (!objects.empty()) replaced_.push_back(std::move(slot));
  }
  slot = std::move(loaded);
  return effects;
}

template <class Visit>
void Templates::each_build(Visit visit) const {
  for (const auto& [name, loaded] : templates_) visit(*loaded, false);
  for (const auto& loaded : replaced_) visit(*loaded, true);
}

Result<Templates::Loaded> Templates::load(const std::string& path) {
  if (!fs::exists(path))
    return fail(Error::not_found(fmt::format("template file '{}' does not exist", path)));
  const auto runner = HECTOR_TRY(runner_of(path));
  auto loaded = std::make_unique<LoadedTemplate>();
  loaded->code = HECTOR_TRY(runner.language->load(fs::absolute(path).string()));
  HECTOR_CHECK(loaded->code != nullptr, "a language made no code, and gave no error");
  loaded->language = runner.name;
  loaded->path = path;
  loaded->interface = HECTOR_TRY(interface_of(loaded->code->info(), path));
  loaded->digest = loaded->code->info().digest;
  if (loaded->digest.empty())
    loaded->digest = sha256_hex(HECTOR_TRY(read_file(path, "template file")));
  Loaded result{.name = loaded->code->info().name};
  const std::string build = loaded->build();
  {
    const std::lock_guard lock(mutex_);
    forget_unused();
    result.effects = take_place(templates_[result.name], std::move(loaded));
  }
  log_.write(Level::kInfo, "template loaded",
             {{"template", result.name}, {"language", runner.name}, {"build", build}});
  return result;
}

// --- unloading
// ----------------------------------------------------------------------------------------------

Result<Effects> Templates::unload(const std::string& name, Unload mode) {
  const std::lock_guard lock(mutex_);
  const auto found = templates_.find(name);
  if (found == templates_.end())
    return fail(Error::not_found(fmt::format("template '{}' is not loaded", name)));
  forget_unused();
  std::vector<std::string> holders;
  each_build([&](const LoadedTemplate& build, bool) {
    if (build.code->info().name != name) return;
    for (auto& object : objects_.objects_of(build)) holders.push_back(std::move(object));
  });
  if (!holders.empty()) {
    for (auto& object : holders) object.insert(0, "Object ");
    return fail(Error::failed_precondition(
                    fmt::format("template '{}' has Objects; delete them first", name))
                    .with_reasons(std::move(holders)));
  }
  if (mode != Unload::kDryRun) templates_.erase(found);
  return Effects{unloaded(name, mode)};
}

Result<Effects> Templates::unload_language(const std::string& name, Unload mode) {
  Effects effects;
  std::vector<std::string> holders;
  std::unique_ptr<Language> gone;  // destroyed after its templates and without the lock
  const std::lock_guard lock(mutex_);
  const auto language = languages_.find(name);
  if (language == languages_.end())
    return fail(Error::not_found(fmt::format("language '{}' is not loaded", name)));
  forget_unused();
  each_build([&](const LoadedTemplate& loaded, bool is_replaced) {
    if (loaded.language != name) return;
    const std::string& id = loaded.code->info().name;
    if (const std::size_t objects = objects_.count_of(loaded); objects > 0)
      holders.push_back(fmt::format("template {} has {} Objects of build {}; delete them first", id,
                                    objects, loaded.build()));
    if (!is_replaced) effects.push_back(unloaded(id, mode));
  });
  if (!holders.empty())
    return fail(Error::failed_precondition(fmt::format("language '{}' is in use", name))
                    .with_reasons(std::move(holders)));
  if (mode == Unload::kDryRun) return effects;
  std::erase_if(templates_, [&](const auto& each) { return each.second->language == name; });
  gone = std::move(language->second);
  languages_.erase(language);
  return effects;
}

void Templates::clear() {
  std::map<std::string, std::unique_ptr<Language>> languages;  // destroyed after their templates
  std::map<std::string, std::unique_ptr<LoadedTemplate>> templates;
  std::vector<std::unique_ptr<LoadedTemplate>> replaced;
  const std::lock_guard lock(mutex_);
  languages.swap(languages_);
  templates.swap(templates_);
  replaced.swap(replaced_);
}

// --- use
// ----------------------------------------------------------------------------------------------

Result<Templates::Reserved> Templates::reserve(const std::string& template_name,
                                               const std::string& object,
                                               std::unique_ptr<const MadeWith> made) {
  const std::lock_guard lock(mutex_);
  const auto found = templates_.find(template_name);
  if (found == templates_.end()) {
    std::vector<std::string> names;
    for (const auto& [name, loaded] : templates_) names.push_back(name);
    return fail(Error::not_found(fmt::format("template '{}' is not loaded{}", template_name,
                                             nearest_hint(template_name, names))));
  }
  const LoadedTemplate& from = *found->second;
  auto* const record =
      HECTOR_TRY(objects_.reserve(object, {.from = &from, .made = std::move(made)}));
  return Reserved{from, *record};
}

std::map<std::string, std::string> Templates::languages() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> names;
  for (const auto& [name, language] : languages_)
    names[name] = fmt::format("{}", fmt::join(language->formats(), " "));
  return names;
}

std::vector<Templates::Listed> Templates::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Listed> list;
  each_build([&](const LoadedTemplate& loaded, bool is_replaced) {
    const std::size_t objects = objects_.count_of(loaded);
    if (is_replaced && objects == 0) return;
    list.push_back({.name = loaded.code->info().name,
                    .language = loaded.language,
                    .path = loaded.path,
                    .interface_id = loaded.interface->id(),
                    .build = loaded.build(),
                    .objects = objects,
                    .is_replaced = is_replaced});
  });
  return list;
}

}  // namespace hector
