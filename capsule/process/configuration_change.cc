#include "process/configuration_change.h"

#include <algorithm>

namespace hector {

namespace {

bool equal(const ModuleSettings& a, const ModuleSettings& b) {
  return a.listen == b.listen && a.settings == b.settings && a.is_insecure == b.is_insecure;
}
bool equal(const ServiceSettings& a, const ServiceSettings& b) {
  return a.joined == b.joined && a.settings == b.settings;
}
bool equal(const CreateOptions& a, const CreateOptions& b) {
  return a.template_name == b.template_name && a.arguments == b.arguments &&
         a.properties == b.properties;
}

template <class Settings>
const Settings* named(const std::vector<Settings>& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Settings& each) { return each.name == name; });
  return found == list.end() ? nullptr : &*found;
}

template <class Settings>
ConfigurationChange::Modules<Settings> compare(const std::vector<Settings>& was,
                                               const std::vector<Settings>& is) {
  ConfigurationChange::Modules<Settings> change;
  for (const auto& each : is) {
    const Settings* const before = named(was, each.name);
    if (before == nullptr)
      change.come.push_back(each);
    else if (!equal(*before, each))
      change.differ.push_back(each);
  }
  for (const auto& each : was) {
    if (named(is, each.name) == nullptr) change.go.push_back(each.name);
  }
  return change;
}

}  // namespace

ConfigurationChange change_between(const Configuration& was, const Configuration& is) {
  ConfigurationChange change;
  change.protocols = compare(was.protocols, is.protocols);
  change.languages = compare(was.languages, is.languages);
  change.services = compare(was.services, is.services);
  change.objects = compare(was.objects, is.objects);
  for (const auto& path : was.templates) {
    if (std::find(is.templates.begin(), is.templates.end(), path) == is.templates.end())
      change.templates_go.push_back(path);
  }
  const auto compare_key = [&](const char* key, bool is_equal) {
    if (!is_equal) change.need_a_restart.emplace_back(key);
  };
  compare_key("capsule", was.capsule == is.capsule);
  compare_key("principal", was.principal == is.principal);
  compare_key("rights", was.rights == is.rights);
  compare_key("audit", was.audit == is.audit);
  compare_key("management", was.is_management_open == is.is_management_open &&
                                was.management_roles == is.management_roles);
  compare_key("identity", was.identity == is.identity);
  compare_key("run_directory", was.run_directory == is.run_directory);
  compare_key("store", was.store == is.store);
  compare_key("log.format", was.log_format == is.log_format);
  return change;
}

}  // namespace hector
