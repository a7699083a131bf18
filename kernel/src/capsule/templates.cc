#include "capsule/templates.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text/nearest.h"
#include "hector/check.h"

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
    if (auto ids = types_.load_text(info.type_yaml, path + " (its type)", folder); !ids)
      return fail(ids.error());
  } else if (!info.type_model.empty()) {
    hector::type::v1::Interface model;
    if (!model.ParseFromString(info.type_model))
      return fail(Error::invalid_argument(fmt::format("{}: its type model is malformed", path)));
    HECTOR_TRY(types_.add(std::move(model)));
  }
  auto found = types_.interface(info.interface_id);
  if (found) return *found;
  Error error = found.error();
  error.message = fmt::format("template {}: {}", info.name, error.message);
  return fail(std::move(error));
}

Result<std::string> Templates::load(const std::string& path) {
  if (!fs::exists(path))
    return fail(Error::not_found(fmt::format("template file '{}' does not exist", path)));
  const auto runner = HECTOR_TRY(runner_of(path));
  auto loaded = std::make_unique<LoadedTemplate>();
  loaded->code = HECTOR_TRY(runner.language->load(fs::absolute(path).string()));
  loaded->language = runner.name;
  loaded->path = path;
  loaded->interface = HECTOR_TRY(interface_of(loaded->code->info(), path));
  const std::string name = loaded->code->info().name;
  {
    const std::lock_guard lock(mutex_);
    auto& slot = templates_[name];
    const std::size_t objects = slot ? objects_.count_of(*slot) : 0;
    if (objects > 0)
      return fail(Error::already_exists(fmt::format(
          "template {} is loaded and has {} Objects; delete them first", name, objects)));
    slot = std::move(loaded);
  }
  log_.write(Level::kInfo, "template loaded", {{"template", name}, {"language", runner.name}});
  return name;
}

// --- unloading
// ----------------------------------------------------------------------------------------------

Result<Effects> Templates::unload(const std::string& name, Unload mode) {
  const std::lock_guard lock(mutex_);
  const auto found = templates_.find(name);
  if (found == templates_.end())
    return fail(Error::not_found(fmt::format("template '{}' is not loaded", name)));
  std::vector<std::string> holders = objects_.objects_of(*found->second);
  if (!holders.empty()) {
    for (auto& object : holders) object.insert(0, "Object ");
    return fail(Error::failed_precondition(
                    fmt::format("template '{}' has Objects; delete them first", name))
                    .with_reasons(std::move(holders)));
  }
  if (mode == Unload::kNow) templates_.erase(found);
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
  for (const auto& [id, loaded] : templates_) {
    if (loaded->language != name) continue;
    if (const std::size_t objects = objects_.count_of(*loaded); objects > 0)
      holders.push_back(fmt::format("template {} has {} Objects; delete them first", id, objects));
    effects.push_back(unloaded(id, mode));
  }
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
  const std::lock_guard lock(mutex_);
  languages.swap(languages_);
  templates.swap(templates_);
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
  for (const auto& [name, loaded] : templates_) {
    list.push_back({name, loaded->language, loaded->path, loaded->interface->id(),
                    objects_.count_of(*loaded)});
  }
  return list;
}

}  // namespace hector
