#include "types/registry/repository.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text/nearest.h"
#include "base/text/read_file.h"
#include "hector/check.h"
#include "types/check/binding_check.h"
#include "types/model/reader.h"

namespace hector::types {

using hector::type::v1::Binding;
using hector::type::v1::InteractionType;

std::string binding_id(const hector::type::v1::Binding& binding) {
  return fmt::format("{}/{}", binding.name(), binding.major());
}

Result<std::vector<std::string>> Repository::load_file(const std::string& path,
                                                       const std::string& origin) {
  const auto text = HECTOR_TRY(read_text(path, "type file"));
  return load_text(text, path, std::filesystem::absolute(path).parent_path().string(), origin);
}

namespace {

/// ALREADY_EXISTS: types do not change, they get a new major.
Error changed(const std::string& name, const std::string& kind, const std::string& id) {
  return Error::already_exists(fmt::format(
      "{}: another {}type {} is loaded; raise the number after the slash", name, kind, id));
}

bool is_same(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace

/// The types of one file on their way in: checked against each other and against those that are
/// there already, then added together.
class Repository::Load {
 public:
  /// `name` is for messages.
  Load(Repository& types, const std::string& name) : types_(types), name_(name) {
    const std::lock_guard lock(types_.mutex_);
    patterns_ = types_.interaction_types_;
  }

  Status read(const std::string& yaml, const std::string& folder) {
    file_ = HECTOR_TRY(read_types(yaml, name_, folder,
                                  [this](const std::string& id) { return loaded_pattern(id); }));
    for (auto& model : file_.interfaces) {
      auto made = HECTOR_TRY(CompiledInterface::make(std::move(model)));
      compiled_.push_back(std::move(made));
    }
    return {};
  }

  Status check() const {
    for (const auto& made : compiled_) {
      const auto known = types_.interface(made->id());
      if (known && (*known)->identity() != made->identity())
        return fail(changed(name_, "", made->id()));
    }
    for (const auto& type : file_.interactions) HECTOR_TRY(check_pattern(type));
    for (const auto& binding : file_.bindings) HECTOR_TRY(check_binding_type(binding));
    return {};
  }

  /// The ids.
  Result<std::vector<std::string>> add(const std::string& origin) {
    std::vector<std::string> ids;
    for (const auto& made : compiled_) {
      HECTOR_TRY(types_.add(made->typed_model(), origin));
      ids.push_back(made->id());
    }
    for (const auto& binding : file_.bindings) {
      HECTOR_TRY(types_.add(binding, origin));
      ids.push_back(binding_id(binding));
    }
    const std::lock_guard lock(types_.mutex_);
    for (const auto& type : file_.interactions) {
      ids.push_back(interaction_type_id(type));
      types_.interaction_types_.insert_or_assign(ids.back(), type);
      types_.origins_.emplace(ids.back(), origin);
    }
    return ids;
  }

 private:
  const InteractionType* loaded_pattern(const std::string& id) const {
    const auto found = patterns_.find(id);
    return found == patterns_.end() ? nullptr : &found->second;
  }

  /// A pattern is checked as a Binding type of its formal roles.
  Status check_pattern(const InteractionType& type) const {
    const auto id = interaction_type_id(type);
    const auto known = [&](const std::string& wanted) -> const InteractionType* {
      for (const auto& each : file_.interactions) {
        if (interaction_type_id(each) == wanted) return &each;
      }
      return loaded_pattern(wanted);
    };
    const auto binding = HECTOR_TRY(as_binding(type, known));
    if (const auto finding = check_binding(binding, {}))
      return fail(cannot_work(fmt::format("{}: {}", name_, id), *finding));
    const auto* const there = loaded_pattern(id);
    if (there != nullptr && !is_same(*there, type)) return fail(changed(name_, "Interaction ", id));
    return {};
  }

  Status check_binding_type(const Binding& binding) const {
    std::vector<CompiledPtr> held;  // while the check runs
    const auto known = [&](const std::string& id) -> const CompiledInterface* {
      for (const auto& made : compiled_) {
        if (made->id() == id) return made.get();
      }
      auto found = types_.interface(id);
      if (!found) return nullptr;
      held.push_back(std::move(*found));
      return held.back().get();
    };
    const auto id = binding_id(binding);
    if (const auto finding = check_binding(binding, known))
      return fail(cannot_work(fmt::format("{}: {}", name_, id), *finding));
    const auto there = types_.binding(id);
    if (there && !is_same(*there, binding)) return fail(changed(name_, "Binding ", id));
    return {};
  }

  Repository& types_;
  const std::string& name_;
  std::map<std::string, InteractionType> patterns_;  ///< custom ones that are loaded already
  TypeFile file_;
  std::vector<CompiledPtr> compiled_;
};

Result<std::vector<std::string>> Repository::load_text(const std::string& yaml,
                                                       const std::string& name,
                                                       const std::string& folder,
                                                       const std::string& origin) {
  Load load(*this, name);
  HECTOR_TRY(load.read(yaml, folder));
  HECTOR_TRY(load.check());
  return load.add(origin.empty() ? name : origin);
}

Result<CompiledPtr> Repository::add(hector::type::v1::Interface model, const std::string& origin) {
  {
    // Most often it is known already, and compiling it again is the expensive part.
    const std::string octets = model.SerializeAsString();
    const std::lock_guard lock(mutex_);
    const auto known = interfaces_.find(fmt::format("{}/{}", model.name(), model.major()));
    if (known != interfaces_.end() && known->second->model() == octets) return known->second;
  }
  auto made = CompiledInterface::make(std::move(model));
  if (!made) return made;
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = interfaces_.emplace((*made)->id(), *made);
  HECTOR_CHECK(at->first == at->second->id(), "an Interface stands under another id");
  if (!is_new && at->second->identity() != (*made)->identity()) {
    return fail(
        Code::kAlreadyExists,
        fmt::format("another type {} is loaded; raise the number after the slash", (*made)->id()));
  }
  if (is_new) origins_.emplace(at->first, origin);
  return at->second;
}

Status Repository::add(const hector::type::v1::Binding& binding, const std::string& origin) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = bindings_.emplace(binding_id(binding), binding);
  if (!is_new && at->second.SerializeAsString() != binding.SerializeAsString()) {
    return fail(Code::kAlreadyExists,
                fmt::format("another Binding type {} is loaded; raise the number after the slash",
                            at->first));
  }
  if (is_new) origins_.emplace(at->first, origin);
  return {};
}

std::string Repository::origin(const std::string& id) const {
  if (standard_interaction_types().contains(id)) return kBuiltIn;
  const std::lock_guard lock(mutex_);
  const auto found = origins_.find(id);
  return found == origins_.end() ? "" : found->second;
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

std::shared_ptr<const Result<Conformance>> Repository::conformance(
    const CompiledPtr& offered, const hector::type::v1::Binding& binding, std::uint32_t role,
    const CompiledPtr& required) const {
  Question question{offered.get(), required.get(), role, binding.major(), binding.name()};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = conformances_.find(question); found != conformances_.end())
      return found->second.conformance;
  }
  auto conformance =
      std::make_shared<const Result<Conformance>>(check_role(*offered, binding, role, *required));
  const std::lock_guard lock(mutex_);
  if (conformances_.size() >= kConformancesMax) conformances_.clear();
  const auto [at, is_new] =
      conformances_.emplace(std::move(question), Known{offered, required, conformance});
  HECTOR_CHECK(at->second.offered == offered && at->second.required == required,
               "an answer stands under another question");
  return conformance;
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
