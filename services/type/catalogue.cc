#include "catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"

namespace hector::type_service {

std::string version_key(const std::string& name, std::uint64_t version) {
  HECTOR_CHECK(version > 0, "versions count from one");
  return fmt::format("v/{}{}{:016x}", name, '\0', version);
}
std::string module_key(const std::string& language, const std::string& name,
                       const std::string& abi) {
  return fmt::format("k/{}{}{}{}{}", language, '\0', name, '\0', abi);
}

void Catalogue::clear() {
  names_.clear();
  ids_.clear();
  modules_.clear();
}

void Catalogue::apply(const StoreEvent& event) {
  const std::string& key = event.entry.key;
  const bool is_gone = event.kind == StoreEvent::Kind::kErase;
  const auto read = [&](auto& message) {
    return message.ParseFromArray(event.entry.value.data(),
                                  static_cast<int>(event.entry.value.size()));
  };
  if (key.starts_with("m/")) {
    if (is_gone) {
      const auto gone = names_.find(key.substr(2));
      if (gone == names_.end()) return;
      for (const auto& [number, version] : gone->second.versions) ids_.erase(version.model.id());
      names_.erase(gone);
      return;
    }
    Name& name = names_[key.substr(2)];
    static_cast<void>(read(name.state));
    name.modified = event.entry.modified;
    return;
  }
  if (key.starts_with("k/")) {
    if (is_gone) {
      modules_.erase(key);
      return;
    }
    v1::TypeModule module;
    if (!read(module)) return;
    module.set_revision(event.entry.modified);
    modules_[key] = std::move(module);
    return;
  }
  const auto nul = key.find('\0');
  if (!key.starts_with("v/") || nul == std::string::npos) return;
  const std::string name = key.substr(2, nul - 2);
  const std::uint64_t number = std::strtoull(key.c_str() + nul + 1, nullptr, 16);
  if (is_gone) {
    const auto known = names_.find(name);
    if (known == names_.end()) return;  // gone with its versions: the type was deleted
    const auto earlier = known->second.versions.find(number);
    if (earlier == known->second.versions.end()) return;
    ids_.erase(earlier->second.model.id());
    known->second.versions.erase(earlier);
    return;
  }
  Name& known = names_[name];
  Version version;
  if (!read(version.model)) return;
  version.defined = event.entry.created;
  version.stored = event.entry.value;
  version.model.set_revision(event.entry.created);
  version.of = &known;
  Version& kept = known.versions[number];
  kept = std::move(version);
  ids_[kept.model.id()] = &kept;
}

const Name* Catalogue::name(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

const Version* Catalogue::find(const std::string& name_or_id, std::uint64_t version,
                               Revision at_revision) const {
  if (const auto id = ids_.find(name_or_id); id != ids_.end()) return id->second;
  const Name* const known = name(name_or_id);
  if (known == nullptr) return nullptr;
  if (version != 0) {
    const auto found = known->versions.find(version);
    return found == known->versions.end() ? nullptr : &found->second;
  }
  for (auto each = known->versions.rbegin(); each != known->versions.rend(); ++each) {
    if (at_revision == 0 || each->second.defined <= at_revision) return &each->second;
  }
  return nullptr;
}

const v1::TypeModule* Catalogue::module(const std::string& key) const {
  const auto found = modules_.find(key);
  return found == modules_.end() ? nullptr : &found->second;
}

std::vector<std::string> Catalogue::usages(const std::string& asked) const {
  const Version* const version = find(asked);
  std::set<std::string> wanted = {asked};
  if (version != nullptr) wanted.insert({version->model.name(), version->model.id()});
  const auto is_wanted = [&](const auto& list) {
    return std::any_of(list.begin(), list.end(),
                       [&](const auto& each) { return wanted.contains(each); });
  };
  std::vector<std::string> users;
  for (const auto& [name, known] : names_) {
    if (known.versions.empty()) continue;
    const auto& latest = known.versions.rbegin()->second.model;
    if (version != nullptr && latest.name() == version->model.name()) continue;
    if (is_wanted(latest.uses()) || is_wanted(latest.supers())) users.push_back(name);
  }
  return users;
}

std::vector<std::string> Catalogue::names(const std::string& prefix, std::size_t most) const {
  std::vector<std::string> all;
  for (auto each = names_.lower_bound(prefix);
       each != names_.end() && each->first.starts_with(prefix) && all.size() < most; ++each) {
    if (!each->second.versions.empty()) all.push_back(each->first);
  }
  return all;
}

}  // namespace hector::type_service
