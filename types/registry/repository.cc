#include "types/registry/repository.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text/nearest.h"
#include "types/check/binding_check.h"
#include "types/model/reader.h"

namespace hector::types {

std::string binding_id(const hector::type::v1::Binding& binding) {
  return fmt::format("{}/{}", binding.name(), binding.major());
}

Result<std::vector<std::string>> Repository::load_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) return fail(Code::kNotFound, fmt::format("type file '{}' cannot be read", path));
  std::stringstream text;
  text << in.rdbuf();
  return load_text(text.str(), path, std::filesystem::absolute(path).parent_path().string());
}

Result<std::vector<std::string>> Repository::load_text(const std::string& yaml,
                                                       const std::string& name,
                                                       const std::string& folder) {
  std::map<std::string, hector::type::v1::InteractionType> patterns;
  {
    const std::lock_guard lock(mutex_);
    patterns = interaction_types_;
  }
  auto read = HECTOR_TRY(read_types(yaml, name, folder, [&](const std::string& id) {
    const auto found = patterns.find(id);
    return found == patterns.end() ? nullptr : &found->second;
  }));
  std::vector<CompiledPtr> compiled, held;
  for (auto& model : read.interfaces) {
    auto made = HECTOR_TRY(CompiledInterface::make(std::move(model)));
    compiled.push_back(made);
  }
  for (const auto& made : compiled) {
    const auto known = interface(made->id());
    if (known && (*known)->identity() != made->identity()) {
      return fail(Code::kAlreadyExists,
                  fmt::format("{}: another type {} is loaded; raise the number after the slash",
                              name, made->id()));
    }
  }
  std::vector<std::string> ids;
  for (const auto& made : compiled) {
    auto added = HECTOR_TRY(add(made->typed_model()));
    ids.push_back(made->id());
  }
  const auto known = [&](const std::string& id) -> const CompiledInterface* {
    auto found = interface(id);
    if (found) held.push_back(*found);
    return found ? held.back().get() : nullptr;
  };
  for (const auto& type : read.interactions) {
    auto pattern =
        as_binding(type, [&](const std::string& id) -> const hector::type::v1::InteractionType* {
          for (const auto& each : read.interactions) {
            if (interaction_type_id(each) == id) return &each;
          }
          const auto found = patterns.find(id);
          return found == patterns.end() ? nullptr : &found->second;
        });
    if (!pattern) return fail(pattern.error());
    if (auto fault = check_binding(*pattern, {})) {
      Error error = cannot_work(fmt::format("{}: {}", name, interaction_type_id(type)), *fault);
      return fail(std::move(error));
    }
  }
  for (const auto& binding : read.bindings) {
    if (auto fault = check_binding(binding, known)) {
      Error error = cannot_work(fmt::format("{}: {}", name, binding_id(binding)), *fault);
      return fail(std::move(error));
    }
  }
  for (const auto& type : read.interactions) {
    const auto id = interaction_type_id(type);
    if (const auto there = patterns.find(id);
        there != patterns.end() && there->second.SerializeAsString() != type.SerializeAsString()) {
      return fail(
          Code::kAlreadyExists,
          fmt::format("{}: another Interaction type {} is loaded; raise the number after the slash",
                      name, id));
    }
  }
  for (const auto& binding : read.bindings) {
    HECTOR_TRY(add(binding));
    ids.push_back(binding_id(binding));
  }
  const std::lock_guard lock(mutex_);
  for (const auto& type : read.interactions) {
    ids.push_back(interaction_type_id(type));
    interaction_types_.insert_or_assign(ids.back(), type);
  }
  return ids;
}

Result<CompiledPtr> Repository::add(hector::type::v1::Interface model) {
  {
    const std::string octets = model.SerializeAsString();  // most often it is known already:
                                                           // compiling it again is the dear part
    const std::lock_guard lock(mutex_);
    const auto known = interfaces_.find(fmt::format("{}/{}", model.name(), model.major()));
    if (known != interfaces_.end() && known->second->model() == octets) return known->second;
  }
  auto made = CompiledInterface::make(std::move(model));
  if (!made) return made;
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = interfaces_.emplace((*made)->id(), *made);
  if (!is_new && at->second->identity() != (*made)->identity()) {
    return fail(
        Code::kAlreadyExists,
        fmt::format("another type {} is loaded; raise the number after the slash", (*made)->id()));
  }
  return at->second;
}

Status Repository::add(const hector::type::v1::Binding& binding) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = bindings_.emplace(binding_id(binding), binding);
  if (!is_new && at->second.SerializeAsString() != binding.SerializeAsString()) {
    return fail(Code::kAlreadyExists,
                fmt::format("another Binding type {} is loaded; raise the number after the slash",
                            at->first));
  }
  return {};
}

Result<CompiledPtr> Repository::interface(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = interfaces_.find(id); found != interfaces_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, type] : interfaces_) names.push_back(name);
  return fail(Code::kNotFound, fmt::format("no Interface '{}' is known here{}; load its type file",
                                           id, nearest_hint(id, names)));
}

Result<hector::type::v1::Binding> Repository::binding(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = bindings_.find(id); found != bindings_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, type] : bindings_) names.push_back(name);
  return fail(Code::kNotFound,
              fmt::format("no Binding type '{}' is known here{}; load its type file", id,
                          nearest_hint(id, names)));
}

std::shared_ptr<const Result<Verdict>> Repository::verdict(const CompiledPtr& offered,
                                                           const hector::type::v1::Binding& binding,
                                                           std::uint32_t role,
                                                           const CompiledPtr& required) const {
  Question question{offered.get(), required.get(), role, binding.major(), binding.name()};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = verdicts_.find(question); found != verdicts_.end())
      return found->second.verdict;
  }
  auto verdict =
      std::make_shared<const Result<Verdict>>(check_role(*offered, binding, role, *required));
  const std::lock_guard lock(mutex_);
  if (verdicts_.size() >= kVerdictsMax) verdicts_.clear();
  verdicts_.emplace(std::move(question), Known{offered, required, verdict});
  return verdict;
}

std::vector<CompiledPtr> Repository::interfaces() const {
  const std::lock_guard lock(mutex_);
  std::vector<CompiledPtr> all;
  for (const auto& [id, type] : interfaces_) all.push_back(type);
  return all;
}

std::vector<hector::type::v1::InteractionType> Repository::interaction_types() const {
  std::vector<hector::type::v1::InteractionType> all;
  for (const auto& [id, type] : standard_interaction_types()) all.push_back(type);
  const std::lock_guard lock(mutex_);
  for (const auto& [id, type] : interaction_types_) all.push_back(type);
  return all;
}

std::vector<hector::type::v1::Binding> Repository::bindings() const {
  const std::lock_guard lock(mutex_);
  std::vector<hector::type::v1::Binding> all;
  for (const auto& [id, type] : bindings_) all.push_back(type);
  return all;
}

}  // namespace hector::types
