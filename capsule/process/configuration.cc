#include "process/configuration.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "process/yaml_file.h"
#include "process/yaml_json.h"

namespace hector {

namespace fs = std::filesystem;

namespace {

/// A map as JSON; nothing is an empty one.
std::string json_object(const YamlNode& node) {
  if (node.raw().IsNull()) return "{}";
  if (!node.raw().IsMap())
    node.refuse(fmt::format("{} must be a map of names to values", node.what()));
  return json_of(node);
}

class Reader {
 public:
  Reader(const std::string& file, std::string prefix)
      : file_(file), folder_(fs::absolute(file).parent_path()), prefix_(std::move(prefix)) {}

  Configuration read(const YamlNode& node) {
    node.only({"capsule", "principal", "run_directory", "store", "log", "protocols", "languages",
               "services", "types", "templates", "objects", "policy", "limits", "management",
               "audit", "identity", "rights"});
    Configuration c;
    if (!node.has("capsule")) node.refuse("a configuration needs `capsule: NAME`");
    c.capsule = node.at("capsule").text();
    c.principal = node.text_or("principal", "");
    if (node.has("run_directory")) c.run_directory = path(node.at("run_directory"));
    if (node.has("store")) c.store = store(node.at("store"));
    if (node.has("log")) read_log(node.at("log"), c);
    if (node.has("protocols")) c.protocols = modules(node.at("protocols"), true);
    if (node.has("languages")) c.languages = modules(node.at("languages"), false);
    if (node.has("services")) read_services(node.at("services"), c);
    if (node.has("types")) c.types = paths(node.at("types"));
    if (node.has("templates")) c.templates = paths(node.at("templates"));
    if (node.has("objects")) read_objects(node.at("objects"), c);
    if (node.has("policy")) read_policy(node.at("policy"), c);
    if (node.has("limits")) read_limits(node.at("limits"), c);
    if (node.has("rights")) {
      const auto rights = node.at("rights").text();
      if (rights != "required" && rights != "not asked")
        node.at("rights").refuse("`rights:` is required, or `not asked`");
      if (rights == "required") c.rights = RightsMode::kRequired;
    }
    if (node.has("audit")) c.audit = path(node.at("audit"));
    if (node.has("identity")) read_identity(node.at("identity"), c);
    if (const char* const realm = std::getenv("HECTOR_REALM");
        !node.has("identity") && realm != nullptr && *realm != '\0')
      c.identity = {.realm = realm, .name = "capsule/" + c.capsule, .file = {}, .trust = {}};
    if (node.has("management")) read_management(node.at("management"), c);
    return c;
  }

 private:
  /// A path behind the provider's name is like every other path here.
  std::string store(const YamlNode& node) const {
    const std::string text = node.text();
    const auto colon = text.find(':');
    if (colon == std::string::npos || text.compare(colon, 3, "://") == 0) return text;
    return text.substr(0, colon + 1) + path_of(node, text.substr(colon + 1));
  }

  void read_identity(const YamlNode& node, Configuration& c) const {
    node.only({"realm", "name", "file", "trust"});
    if (!node.has("realm"))
      node.refuse("`identity` needs `realm: FOLDER`, which `hector init` makes");
    c.identity.realm = path(node.at("realm"));
    c.identity.name = node.text_or("name", "capsule/" + c.capsule);
    if (node.has("file")) c.identity.file = path(node.at("file"));
    if (!node.has("trust")) return;
    node.at("trust").each("trust domain",
                          [&](const std::string& domain, const YamlNode& file, const YamlNode&) {
                            c.identity.trust[domain] = path(file);
                          });
  }

  static void read_management(const YamlNode& node, Configuration& c) {
    node.only({"insecure", "roles"});
    c.is_management_open = node.has("insecure") && node.at("insecure").truth();
    if (!node.has("roles")) return;
    node.at("roles").each(
        "role", [&](const std::string& name, const YamlNode& principals, const YamlNode& key) {
          const auto right = management_right(name);
          if (!right)
            key.refuse(
                fmt::format("unknown role '{}'; known are viewer, operator, administrator", name));
          c.management_roles.push_back({*right, one_or_more(principals)});
        });
  }

  static void read_log(const YamlNode& node, Configuration& c) {
    node.only({"format", "level"});
    const std::string format = node.text_or("format", "text");
    if (format != "text" && format != "json")
      node.at("format").refuse("a log's format is text or json");
    c.log_format = format == "json" ? LogFormat::kJson : LogFormat::kText;
    const std::string level = node.text_or("level", "info");
    const std::vector<std::string> levels{"debug", "info", "warning", "error"};
    const auto found = std::find(levels.begin(), levels.end(), level);
    if (found == levels.end())
      node.at("level").refuse(
          fmt::format("unknown level '{}'; known are {}", level, fmt::join(levels, ", ")));
    static_assert(static_cast<int>(Level::kError) == 3, "the words stand in the order of levels");
    c.log_level = static_cast<Level>(found - levels.begin());
  }

  /// One text, or a list of them.
  static std::vector<std::string> one_or_more(const YamlNode& node) {
    return node.raw().IsSequence() ? node.texts() : std::vector<std::string>{node.text()};
  }

  static void read_policy(const YamlNode& node, Configuration& c) {
    node.each("policy", [&](const std::string& key, const YamlNode& value, const YamlNode&) {
      c.policy.push_back({key, one_or_more(value)});
    });
  }

  static void read_limits(const YamlNode& node, Configuration& c) {
    node.only({"deadline_ms", "drain_ms"});
    const auto read = [&](const char* key, Duration& into) {
      if (!node.has(key)) return;
      into =
          std::chrono::milliseconds(node.at(key).number<std::uint32_t>("a number of milliseconds"));
    };
    read("deadline_ms", c.default_deadline);
    read("drain_ms", c.drain_grace);
  }

  static std::vector<ModuleSettings> modules(const YamlNode& node, bool may_listen) {
    std::vector<ModuleSettings> list;
    if (node.raw().IsSequence()) {
      for (const auto& name : node.texts()) list.push_back({name, {}, "{}", false});
      return list;
    }
    node.each("module", [&](const std::string& name, const YamlNode& value, const YamlNode&) {
      ModuleSettings module{name, {}, "{}", false};
      if (!value.raw().IsNull()) {
        if (may_listen)
          value.only({"listen", "settings", "insecure"});
        else
          value.only({"settings"});
        if (value.has("listen")) module.listen = one_or_more(value.at("listen"));
        if (value.has("settings")) module.settings = json_object(value.at("settings"));
        module.is_insecure = value.has("insecure") && value.at("insecure").truth();
      }
      list.push_back(std::move(module));
    });
    return list;
  }

  static void read_services(const YamlNode& node, Configuration& c) {
    node.each("service", [&](const std::string& name, const YamlNode& value, const YamlNode&) {
      ServiceSettings service{name, {}, "{}"};
      if (value.raw().IsMap()) {
        value.only({"joined", "settings"});
        service.joined = value.text_or("joined", "");
        if (value.has("settings")) service.settings = json_object(value.at("settings"));
      } else if (value.text() != "embedded") {
        value.refuse(fmt::format("{} is `embedded` or `{{joined: CAPSULE}}`, not '{}'",
                                 value.what(), value.text()));
      }
      c.services.push_back(std::move(service));
    });
  }

  void read_objects(const YamlNode& node, Configuration& c) {
    if (!node.raw().IsSequence()) node.refuse("`objects` is a list of {template, name, …}");
    for (const auto& item : node.raw()) {
      const YamlNode object(item, file_, "an object");
      object.only({"template", "name", "arguments", "properties"});
      for (const char* key : {"template", "name"}) {
        if (!object.has(key)) object.refuse(fmt::format("an object has no '{}'", key));
      }
      CreateOptions create;
      create.template_name = object.at("template").text();
      create.name = object.at("name").text();
      if (object.has("arguments")) create.arguments = json_object(object.at("arguments"));
      if (object.has("properties")) {
        object.at("properties")
            .each("property", [&](const std::string& name, const YamlNode& value, const YamlNode&) {
              create.properties[name] = json_of(value);
            });
      }
      c.objects.push_back(std::move(create));
    }
  }

  std::string path(const YamlNode& node) const { return path_of(node, node.text()); }
  std::string path_of(const YamlNode& node, std::string text) const {
    for (auto dollar = text.find('$'); dollar != std::string::npos;
         dollar = text.find('$', dollar)) {
      const bool braced = dollar + 1 < text.size() && text[dollar + 1] == '{';
      const auto start = dollar + (braced ? 2 : 1);
      auto end = braced ? text.find('}', start)
                        : text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", start);
      if (end == std::string::npos) {
        if (braced) node.refuse("'${' without '}'");
        end = text.size();
      }
      const std::string name = text.substr(start, end - start);
      const char* value = name == "HECTOR_PREFIX" ? prefix_.c_str() : std::getenv(name.c_str());
      if (value == nullptr) node.refuse(fmt::format("the environment has no {}", name));
      text.replace(dollar, end - dollar + (braced ? 1 : 0), value);
      dollar += std::string_view(value).size();
    }
    return fs::path(text).is_absolute() ? text : (folder_ / text).lexically_normal().string();
  }
  std::vector<std::string> paths(const YamlNode& node) const {
    std::vector<std::string> list;
    if (!node.raw().IsSequence())
      node.refuse(fmt::format("{} must be a list of files", node.what()));
    for (const auto& item : node.raw()) list.push_back(path(YamlNode(item, file_, "a file")));
    return list;
  }

  const std::string file_;
  const fs::path folder_;
  const std::string prefix_;
};

}  // namespace

Result<Configuration> read_configuration(const std::string& path, const std::string& prefix) {
  return read_yaml_file(path, "the configuration",
                        [&](const YamlNode& node) { return Reader(path, prefix).read(node); });
}

}  // namespace hector
