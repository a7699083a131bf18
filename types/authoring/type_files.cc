#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/text/nearest.h"
#include "base/text/read_file.h"
#include "hector/authoring.h"
#include "hector/check.h"
#include "types/authoring/drawing.h"
#include "types/authoring/format.h"
#include "types/authoring/generation.h"
#include "types/authoring/grpc_services.h"
#include "types/authoring/versions.h"
#include "types/check/binding_check.h"
#include "types/check/conformance.h"
#include "types/model/interaction_type_reader.h"
#include "types/model/messages.h"
#include "types/model/reader.h"
#include "types/model/yaml_documents.h"
#include "types/registry/repository.h"

namespace hector::types {

namespace {

namespace fs = std::filesystem;

}  // namespace

Result<std::vector<std::string>> type_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const auto& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      if (!fs::exists(path, error))
        return fail(Code::kNotFound, fmt::format("'{}' is not there", path));
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (auto at = fs::recursive_directory_iterator(
             path, fs::directory_options::skip_permission_denied, error);
         at != fs::recursive_directory_iterator(); at.increment(error)) {
      const auto extension = at->path().extension();
      if (at->is_regular_file(error) && (extension == ".yaml" || extension == ".yml"))
        found.push_back(at->path().string());
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

namespace {

Result<std::string> text_of(const std::string& path) { return read_text(path, "type file"); }

Result<std::vector<TypeDocument>> documents_of(const std::string& path,
                                               const InteractionTypeLookup& known = {}) {
  auto text = HECTOR_TRY(text_of(path));
  return read_type_documents(text, path, fs::absolute(path).parent_path().string(), known);
}

/// What is known while files are checked.
struct CheckedFiles {
  std::map<std::string, hector::type::v1::InteractionType> interactions;
  std::vector<TypeCheck> checks;
  std::map<std::string, CompiledPtr> interfaces;
  std::vector<std::pair<std::size_t, hector::type::v1::Binding>>
      bindings;  ///< with their place in checks
};

void check_documents(const std::string& file, CheckedFiles& all) {
  auto documents = documents_of(file, [&](const std::string& id) {
    const auto found = all.interactions.find(id);
    return found == all.interactions.end() ? nullptr : &found->second;
  });
  if (!documents) {
    all.checks.push_back({file, {}, Finding{"syntax", documents.error().message, {}, {}}});
    return;
  }
  for (auto& document : *documents) {
    TypeCheck& check = all.checks.emplace_back();
    check.file = file;
    check.type = document.id;
    const auto refuse = [&](const char* rule, const Error& error) {
      check.finding = Finding{rule, error.message, {}, {}};
    };
    if (document.mistake) {
      refuse("syntax", *document.mistake);
    } else if (document.binding) {
      all.bindings.emplace_back(all.checks.size() - 1, std::move(*document.binding));
    } else if (auto made = CompiledInterface::make(std::move(*document.interface)); !made) {
      refuse(made.error().code == Code::kResourceExhausted ? "limits" : "names", made.error());
    } else if (const auto [known, is_new] = all.interfaces.emplace((*made)->id(), *made);
               !is_new && known->second->identity() != (*made)->identity()) {
      refuse("names",
             {Code::kAlreadyExists,
              fmt::format(
                  "{}: another type {} stands in another file; raise the number after the slash",
                  file, check.type)});
    }
  }
}

/// A role's Interface that none of the files has, nor every capsule.
std::optional<Finding> check_interfaces(const hector::type::v1::Binding& binding,
                                        const std::set<std::string>& known) {
  for (const auto& role : binding.roles()) {
    const std::string& id = role.interface_id();
    // Every capsule has those of hector.
    if (id.empty() || known.contains(id) || id.starts_with("hector.")) continue;
    return Finding{"names",
                   fmt::format("role '{}': no Interface {} is in these files{}", role.name(), id,
                               nearest_hint(id, {known.begin(), known.end()})),
                   {},
                   {role.name()}};
  }
  return std::nullopt;
}

/// "FILE:NAME", split at the last colon.
Result<std::pair<std::string, std::string>> split_name(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
    return fail(
        Code::kInvalidArgument,
        fmt::format("'{}' is not FILE:NAME, as in meeting.hector.yaml:diary.Calendar/1", text));
  return std::pair{text.substr(0, colon), text.substr(colon + 1)};
}

/// "t.I/1" or, where it is the only one of that name, "t.I".
bool is_named(const std::string& id, const std::string& name) {
  return id == name || id.substr(0, id.rfind('/')) == name;
}

Result<CompiledPtr> find_interface(const std::vector<TypeDocument>& documents,
                                   const std::string& name, const std::string& file) {
  std::vector<std::string> known;
  CompiledPtr found;
  for (const auto& document : documents) {
    if (document.mistake && is_named(document.id, name)) return fail(*document.mistake);
    if (!document.interface) continue;
    const std::string id =
        fmt::format("{}/{}", document.interface->name(), document.interface->major());
    known.push_back(id);
    if (!is_named(id, name)) continue;
    auto made = HECTOR_TRY(CompiledInterface::make(*document.interface));
    found = made;
    if (id == name) break;
  }
  if (found) return found;
  return fail(Code::kNotFound,
              fmt::format("{} has no Interface '{}'{}", file, name, nearest_hint(name, known)));
}

struct FoundRole {
  hector::type::v1::Binding binding;
  std::uint32_t role = 0;
};
/// "ROLE", or "BINDING" and "ROLE" with '.', ':' or '/' between.
Result<FoundRole> find_role(const std::vector<TypeDocument>& documents, const std::string& name,
                            const std::string& file) {
  std::vector<FoundRole> found;
  std::vector<std::string> known;
  for (const auto& document : documents) {
    if (document.mistake && !document.id.empty() &&
        name.starts_with(document.id.substr(0, document.id.rfind('/'))))
      return fail(*document.mistake);
    if (!document.binding) continue;
    const std::string id = binding_id(*document.binding);
    for (int r = 0; r < document.binding->roles_size(); ++r) {
      const std::string& role = document.binding->roles(r).name();
      known.push_back(id + "." + role);
      bool matches = role == name;
      for (const char separator : {'.', ':', '/'}) {
        matches = matches || (name.size() > role.size() && name.ends_with(role) &&
                              name[name.size() - role.size() - 1] == separator &&
                              is_named(id, name.substr(0, name.size() - role.size() - 1)));
      }
      if (matches) found.push_back({*document.binding, static_cast<std::uint32_t>(r)});
    }
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty())
    return fail(Code::kNotFound,
                fmt::format("{} has no Role '{}'{}", file, name, nearest_hint(name, known)));
  return fail(Code::kInvalidArgument, fmt::format("{} has several Roles '{}': say which, as in {}",
                                                  file, name, known.front()));
}

/// The Interface that a Role names: from its own file, or the candidate's.
Result<CompiledPtr> required_by(const FoundRole& role, const std::vector<TypeDocument>& here,
                                const std::vector<TypeDocument>& there, const std::string& file) {
  const std::string& id = role.binding.roles(static_cast<int>(role.role)).interface_id();
  if (auto found = find_interface(here, id, file)) return found;
  return find_interface(there, id, file);
}

}  // namespace

Result<std::vector<TypeCheck>> check_files(const std::vector<std::string>& paths) {
  auto files = HECTOR_TRY(type_files(paths));
  CheckedFiles all;
  for (const auto& file : files) {
    const auto text = text_of(file);
    if (!text || text->size() > kTypeFileOctetsMax) continue;
    for (auto& type : read_interaction_types(*text, file))
      all.interactions.emplace(interaction_type_id(type), std::move(type));
  }
  for (const auto& file : files) check_documents(file, all);
  const auto known = [&](const std::string& id) {
    const auto found = all.interfaces.find(id);
    return found == all.interfaces.end() ? nullptr : found->second.get();
  };
  std::set<std::string> named;  // those that are wrong too: they are told as wrong already
  for (const auto& check : all.checks) named.insert(check.type);
  for (const auto& [at, binding] : all.bindings) {
    HECTOR_CHECK(at < all.checks.size(), "a Binding type without its entry");
    auto finding = check_binding(binding, known);
    // Files without any Interface are about the order alone.
    if (!finding && !all.interfaces.empty()) finding = check_interfaces(binding, named);
    all.checks[at].finding = std::move(finding);
  }
  return std::move(all.checks);
}

Result<Conformance> check_conformance(const std::string& interface, const std::string& role) {
  auto offered_name = HECTOR_TRY(split_name(interface));
  auto role_name = HECTOR_TRY(split_name(role));
  auto here = documents_of(offered_name.first), there = documents_of(role_name.first);
  for (auto* documents : {&here, &there}) {
    if (!*documents) return fail(documents->error());
  }
  auto offered = HECTOR_TRY(find_interface(*here, offered_name.second, offered_name.first));
  if (auto found = find_role(*there, role_name.second, role_name.first)) {
    auto required = required_by(*found, *there, *here, role_name.first);
    if (!required && (required.error().code != Code::kNotFound)) return fail(required.error());
    return check_role(*offered, found->binding, found->role, required ? **required : *offered);
  } else if (auto replaced = find_interface(*there, role_name.second, role_name.first)) {
    return check_replacement(*offered, **replaced);
  } else {
    return fail(found.error());
  }
}

Result<std::vector<std::string>> differences(const std::string& older, const std::string& newer) {
  auto before = HECTOR_TRY(read_type_file(older));
  auto after = HECTOR_TRY(read_type_file(newer));
  return differences(before, after);
}

Result<std::vector<Finding>> breaking_changes(const std::string& older, const std::string& newer) {
  auto before = HECTOR_TRY(read_type_file(older));
  auto after = HECTOR_TRY(read_type_file(newer));
  return breaking_changes(before, after);
}

Result<std::string> export_service(const std::string& interface) {
  auto name = HECTOR_TRY(split_name(interface));
  auto documents = HECTOR_TRY(documents_of(name.first));
  auto found = HECTOR_TRY(find_interface(documents, name.second, name.first));
  std::string text = export_service(*found);
  if (text.empty())
    return fail(Code::kInvalidArgument,
                fmt::format("{} has no operations; there is nothing to export", found->id()));
  return text;
}

Result<std::string> format_file(const std::string& path) {
  auto text = text_of(path);
  if (!text) return text;
  return format_types(*text, path, fs::absolute(path).parent_path().string());
}

Result<std::string> generate_code(const std::string& path, CodeForm form) {
  auto documents = HECTOR_TRY(documents_of(path));
  for (const auto& document : documents) {
    if (document.mistake) return fail(*document.mistake);
  }
  const std::string file = fs::path(path).filename().string();
  return form == CodeForm::kHeader ? generate_cpp(documents, file)
                                   : generate_python(documents, file);
}

Result<std::string> draw_type(const std::string& path, const std::string& type) {
  auto documents = HECTOR_TRY(documents_of(path));
  std::vector<const TypeDocument*> found;
  std::vector<std::string> known;
  for (const auto& document : documents) {
    known.push_back(document.id);
    if (type.empty() ? document.binding.has_value() : is_named(document.id, type))
      found.push_back(&document);
  }
  if (found.empty() && type.empty() && documents.size() == 1) found.push_back(&documents.front());
  if (found.empty())
    return fail(Code::kNotFound, fmt::format("{} has no {}{}", path,
                                             type.empty() ? "Binding type" : "type '" + type + "'",
                                             type.empty() ? "" : nearest_hint(type, known)));
  if (found.size() > 1)
    return fail(Code::kInvalidArgument, fmt::format("{} has several types to draw: say which of {}",
                                                    path, fmt::join(known, ", ")));
  const auto& document = *found.front();
  if (document.mistake) return fail(*document.mistake);
  if (document.binding) return draw_binding(*document.binding);
  return draw_interface(*document.interface);
}

}  // namespace hector::types
