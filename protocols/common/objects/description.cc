#include "objects/description.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "hector/check.h"
#include "hector/type/v1/type.pb.h"
#include "hector/types.h"
#include "objects/messages.h"

namespace hector::objects {

const char* const kValueProtoPath = "hector/value.proto";  ///< as imports name it
const char* const kValueProto =
#include "value_proto.inc"
    ;

std::optional<std::string> identifier_of(std::string_view name) {
  std::string made;
  for (const char each : name)
    made += (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                    (each >= '0' && each <= '9') || each == '_'
                ? each
                : '_';
  if (made.find_first_not_of("_0123456789") == std::string::npos) return std::nullopt;
  if (made[0] >= '0' && made[0] <= '9') made.insert(0, "n");
  return made;
}

namespace {

// Of one class; a larger one was generated, and its Interface would be too large to read.
constexpr std::size_t kMembersMax = 1'000;
// Of one member, for the same reason.
constexpr std::size_t kParametersMax = 100;

/// Scalars that both have; else what anything may be.
std::string field_type(const std::string& type) {
  static const std::map<std::string, std::string> kTypes{{"int", "int64"},
                                                         {"float", "double"},
                                                         {"bool", "bool"},
                                                         {"str", "string"},
                                                         {"bytes", "bytes"}};
  const auto found = kTypes.find(type);
  return found == kTypes.end() ? "hector.value.v1.Value" : found->second;
}
std::string capitalised(const std::string& name) {
  std::string made;
  bool is_up = true;
  for (const char each : name) {
    if (each == '_') {
      is_up = true;
      continue;
    }
    made += is_up && each >= 'a' && each <= 'z' ? static_cast<char>(each - 'a' + 'A') : each;
    is_up = false;
  }
  return made;
}

/// The type file's and the .proto file's text as they grow; message names are unique.
struct InterfaceText {
  std::string package;
  std::string operations, messages;
  std::set<std::string> names;
  std::vector<Route> routes;

  std::string message(const std::string& wanted, const std::string& fields) {
    std::string name = wanted;
    for (int i = 2; !names.insert(name).second; ++i) name = fmt::format("{}{}", wanted, i);
    messages += fields.empty() ? fmt::format("message {} {{}}\n", name)
                               : fmt::format("message {} {{\n{}}}\n", name, fields);
    return package + "." + name;
  }
  void operation(const std::string& name, Use use, std::size_t member, const std::string& kind,
                 const std::string& in, const std::string& out) {
    operations += fmt::format("  \"{}\": {{kind: {}, in: {}, out: {}}}\n", name, kind, in, out);
    routes.push_back({name, use, member});
  }
};

/// The field for arguments that no parameter names.
constexpr const char* kUntypedName = "untyped";
constexpr int kUntypedNumber = 2047;  // the highest whose tag takes two octets

/// Behind fields that are more than hector.value.v1.Value.
std::string untyped_field() {
  return fmt::format("  hector.value.v1.Untyped {} = {};  // what is not as it was annotated\n",
                     kUntypedName, kUntypedNumber);
}

/// Protobuf takes two fields for one in JSON if they differ in case and underscores only.
std::string json_spelling(const std::string& name) {
  std::string made;
  for (const char each : name) {
    if (each != '_') made += static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  }
  return made;
}

std::string parameter_fields(const std::vector<Parameter>& parameters) {
  std::string fields;
  std::set<std::string> known{kUntypedName};
  bool has_types = false;
  int number = 0;
  for (const auto& parameter : parameters) {
    ++number;
    const std::string wanted =
        identifier_of(parameter.name).value_or(fmt::format("argument_{}", number));
    std::string name = wanted;
    for (int i = 2; !known.insert(json_spelling(name)).second; ++i)
      name = fmt::format("{}{}", wanted, i);
    const std::string type = field_type(parameter.type);
    const bool is_rest = parameter.kind == ParameterKind::kPositionalRest ||
                         parameter.kind == ParameterKind::kKeywordRest;
    has_types = has_types || (!is_rest && type != "hector.value.v1.Value");
    if (parameter.kind == ParameterKind::kPositionalRest)
      fields += fmt::format("  repeated hector.value.v1.Value {} = {};\n", name, number);
    else if (parameter.kind == ParameterKind::kKeywordRest)
      fields += fmt::format("  map<string, hector.value.v1.Value> {} = {};\n", name, number);
    else if (parameter.fallback && type != "hector.value.v1.Value")
      fields += fmt::format("  optional {} {} = {};  // without it {}\n", type, name, number,
                            parameter.fallback->print());
    else
      fields += fmt::format("  {} {} = {};\n", type, name, number);
  }
  return has_types ? fields + untyped_field() : fields;
}
std::string value_field(const std::string& type) {
  if (type == "None") return untyped_field();
  const std::string written = field_type(type);
  return fmt::format("  {} value = 1;\n", written) +
         (written == "hector.value.v1.Value" ? "" : untyped_field());
}

}  // namespace

Result<std::string> read_interface_model(const std::string& yaml, const std::string& name,
                                         const std::string& proto_path, const std::string& proto) {
  const auto models = HECTOR_TRY(
      read_type_models(yaml, name, {{proto_path, proto}, {kValueProtoPath, kValueProto}}));
  HECTOR_CHECK(!models.empty(), "a type file was read without a type");
  hector::type::v1::Interface model;
  const auto& read = *models.front();
  HECTOR_CHECK(model.ParseFromString(read.canonical()), "a canonical form cannot be parsed");
  model.set_descriptors(read.descriptors());
  return model.SerializeAsString();
}

Result<WrittenInterface> write_interface(const Description& description, const std::string& name,
                                         std::uint32_t major, std::vector<std::string>* left_out) {
  WrittenInterface made;
  made.id = fmt::format("{}/{}", name, major);
  InterfaceText text{fmt::format("{}_v{}", name, major), {}};
  std::set<std::string> operations;
  for (std::size_t i = 0; i < description.members.size(); ++i) {
    const auto& member = description.members[i];
    const auto id = identifier_of(member.name);
    const bool fits = id && *id == member.name && member.name != "end" && member.name != "before" &&
                      member.parameters.size() <= kParametersMax &&
                      operations.size() < kMembersMax && operations.insert(*id).second;
    if (!fits) {
      if (left_out != nullptr) left_out->push_back(member.name);
      continue;
    }
    const std::string upper = capitalised(*id);
    if (member.kind == Member::Kind::kMethod) {
      const std::string in = text.message(upper + "Request", parameter_fields(member.parameters));
      text.operation(*id, Use::kCall, i, "rpc", in,
                     text.message(upper + "Reply", value_field(member.type)));
    } else if (member.kind == Member::Kind::kEvent) {
      const std::string in = text.message(upper + "Watch", "");
      text.operation(*id, Use::kEvent, i, "stream", in,
                     text.message(upper + "Event", value_field(member.type)));
    } else {
      const std::string nothing = text.message(upper + "Asked", ""),
                        value = text.message(upper + "Value", value_field(member.type));
      if (member.is_readable && operations.insert("get_" + *id).second)
        text.operation("get_" + *id, Use::kGet, i, "rpc", nothing, value);
      if (member.is_writable && operations.insert("set_" + *id).second)
        text.operation("set_" + *id, Use::kSet, i, "rpc", value, nothing);
    }
  }
  std::string path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  made.proto_path = fmt::format("{}_v{}.proto", path, major);
  made.proto = fmt::format("syntax = \"proto3\";\npackage {};\nimport \"{}\";\n\n{}", text.package,
                           kValueProtoPath, text.messages);
  made.yaml = fmt::format("interface: {}\nmessages: [{}]\noperations:{}{}", made.id,
                          made.proto_path, text.routes.empty() ? " {}" : "\n", text.operations);
  made.routes = std::move(text.routes);
  made.model = HECTOR_TRY(read_interface_model(made.yaml, made.id, made.proto_path, made.proto));
  return made;
}

namespace {

bool is_method(const Operation& operation) {
  return operation.kind == Kind::kAnnounce || operation.kind == Kind::kRpc;
}

/// Names that Python would not take as a parameter's.
std::string python_name(const std::string& name) {
  static const std::set<std::string> kKeywords{
      "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
      "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
      "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
      "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
  return kKeywords.contains(name) ? name + "_" : name;
}

}  // namespace

std::vector<ShownMember> shown_members(const Interface& interface) {
  std::vector<ShownMember> shown;
  const auto codec = MessageCodec::of(interface);
  if (!codec) return shown;
  std::set<const Operation*> taken;
  for (const auto& get : interface.operations()) {
    if (!get.name.starts_with("get_") || get.kind != Kind::kRpc ||
        !(*codec)->input_fields(get).empty() || (*codec)->output_fields(get).size() != 1)
      continue;
    ShownMember attribute{{Member::Kind::kAttribute,
                           get.name.substr(4),
                           {},
                           (*codec)->output_fields(get)[0].type,
                           true,
                           false},
                          nullptr,
                          &get,
                          nullptr};
    const auto* const set = interface.find("set_" + attribute.member.name);
    if (set != nullptr && set->kind == Kind::kRpc && (*codec)->input_fields(*set).size() == 1 &&
        (*codec)->output_fields(*set).empty()) {
      attribute.set = set;
      attribute.member.is_writable = true;
      taken.insert(set);
    }
    if (interface.find(attribute.member.name) != nullptr) continue;
    taken.insert(&get);
    shown.push_back(std::move(attribute));
  }
  for (const auto& operation : interface.operations()) {
    if (taken.contains(&operation)) continue;
    if (operation.kind == Kind::kStream) {
      if (operation.flow == Flow::kOut && (*codec)->input_fields(operation).empty())
        shown.push_back({{Member::Kind::kEvent, operation.name, {}, {}, true, false},
                         &operation,
                         nullptr,
                         nullptr});
      continue;
    }
    if (!is_method(operation)) continue;
    ShownMember method{
        {Member::Kind::kMethod, operation.name, {}, {}, true, false}, &operation, nullptr, nullptr};
    bool is_optional = false;
    for (const auto& field : (*codec)->input_fields(operation)) {
      Parameter parameter{python_name(field.name), field.type, field.kind, std::nullopt};
      if (field.kind == ParameterKind::kPositionalRest ||
          field.kind == ParameterKind::kKeywordRest) {
        parameter.type.clear();
      } else {
        // No positional parameter without a default behind one that has one.
        is_optional =
            field.is_optional || (is_optional && field.kind == ParameterKind::kPositionalOrKeyword);
        if (is_optional) parameter.fallback = field.fallback.value_or(Value::null());
      }
      method.member.parameters.push_back(std::move(parameter));
    }
    const auto replies = (*codec)->output_fields(operation);
    method.member.type = replies.empty() ? "None" : replies.size() == 1 ? replies[0].type : "dict";
    shown.push_back(std::move(method));
  }
  return shown;
}

}  // namespace hector::objects
