#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "hector/authoring.h"
#include "types/model/messages.h"

namespace hector::types {

namespace pb = google::protobuf;

namespace {

/// Buf's categories (breaking rules and categories, version 1.47), the strictest first.
enum class BreakingCategory : std::uint8_t { kFile, kPackage, kWireJson, kWire };

using Type = pb::FieldDescriptor::Type;

template <class D>
std::map<std::string, const D*> by_name(const std::vector<const D*>& all) {
  std::map<std::string, const D*> named;
  for (const auto* each : all) named.emplace(each->full_name(), each);
  return named;
}

struct Everything {
  std::vector<const pb::FileDescriptor*> files;
  std::vector<const pb::Descriptor*> messages;
  std::vector<const pb::EnumDescriptor*> enums;
  std::vector<const pb::ServiceDescriptor*> services;
  std::vector<const pb::FieldDescriptor*> extensions;

  Everything(const pb::DescriptorPool& pool, const std::vector<std::string>& names) {
    for (const auto& name : names) {
      const auto* const file = pool.FindFileByName(name);
      if (file == nullptr) continue;
      files.push_back(file);
      for (int i = 0; i < file->message_type_count(); ++i) add(file->message_type(i));
      for (int i = 0; i < file->enum_type_count(); ++i) enums.push_back(file->enum_type(i));
      for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
      for (int i = 0; i < file->extension_count(); ++i) extensions.push_back(file->extension(i));
    }
  }

 private:
  void add(const pb::Descriptor* message) {
    if (message->options().map_entry()) return;
    messages.push_back(message);
    for (int i = 0; i < message->nested_type_count(); ++i) add(message->nested_type(i));
    for (int i = 0; i < message->enum_type_count(); ++i) enums.push_back(message->enum_type(i));
    for (int i = 0; i < message->extension_count(); ++i)
      extensions.push_back(message->extension(i));
  }
};

bool is_proto3(const pb::FileDescriptor& file) {
  return file.syntax() == pb::FileDescriptor::SYNTAX_PROTO3;
}

enum class Cardinality { kImplicit, kExplicit, kRequired, kRepeated, kMap };
Cardinality cardinality_of(const pb::FieldDescriptor& field) {
  if (field.is_map()) return Cardinality::kMap;
  if (field.is_repeated()) return Cardinality::kRepeated;
  if (field.is_required()) return Cardinality::kRequired;
  return field.has_presence() && field.message_type() == nullptr &&
                 field.real_containing_oneof() == nullptr
             ? Cardinality::kExplicit
             : Cardinality::kImplicit;
}
const char* name_of(Cardinality cardinality) {
  constexpr const char* kNames[] = {"singular", "optional", "required", "repeated", "map"};
  return kNames[static_cast<int>(cardinality)];
}

std::string type_text(const pb::FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

/// Types that may change into each other where only JSON, or only the wire, counts.
int json_group(Type type) {
  switch (type) {
    case Type::TYPE_INT32:
    case Type::TYPE_UINT32:
      return 1;
    case Type::TYPE_INT64:
    case Type::TYPE_UINT64:
      return 2;
    case Type::TYPE_FIXED32:
    case Type::TYPE_SFIXED32:
      return 3;
    case Type::TYPE_FIXED64:
    case Type::TYPE_SFIXED64:
      return 4;
    default:
      return 100 + static_cast<int>(type);
  }
}
int wire_group(Type type) {
  switch (type) {
    case Type::TYPE_INT32:
    case Type::TYPE_UINT32:
    case Type::TYPE_INT64:
    case Type::TYPE_UINT64:
    case Type::TYPE_BOOL:
      return 1;
    case Type::TYPE_SINT32:
    case Type::TYPE_SINT64:
      return 2;
    case Type::TYPE_FIXED32:
    case Type::TYPE_SFIXED32:
      return 3;
    case Type::TYPE_FIXED64:
    case Type::TYPE_SFIXED64:
      return 4;
    default:
      return 100 + static_cast<int>(type);
  }
}
/// Every value of the older, by name and number, is one of the newer.
bool is_subset(const pb::EnumDescriptor& older, const pb::EnumDescriptor& newer) {
  for (int i = 0; i < older.value_count(); ++i) {
    const auto* const found = newer.FindValueByName(older.value(i)->name());
    if (found == nullptr || found->number() != older.value(i)->number()) return false;
  }
  return true;
}

std::string default_of(const pb::FieldDescriptor& field) {
  pb::FieldDescriptorProto model;
  field.CopyTo(&model);
  return model.default_value();
}

template <class D>
bool reserves(const D& descriptor, int number) {
  for (int i = 0; i < descriptor.reserved_range_count(); ++i) {
    const auto* const range = descriptor.reserved_range(i);
    if constexpr (std::is_same_v<D, pb::EnumDescriptor>) {
      if (number >= range->start && number <= range->end) return true;
    } else if (number >= range->start && number < range->end) {
      return true;
    }
  }
  return false;
}
template <class D>
bool reserves(const D& descriptor, const std::string& name) {
  for (int i = 0; i < descriptor.reserved_name_count(); ++i) {
    if (descriptor.reserved_name(i) == name) return true;
  }
  return false;
}

class Comparison {
 public:
  explicit Comparison(BreakingCategory category) : category_(category) {}
  std::vector<ProtoBreaking> breaches;

  void run(const Everything& older, const Everything& newer) {
    const auto messages = by_name(newer.messages);
    const auto enums = by_name(newer.enums);
    const auto services = by_name(newer.services);
    std::map<std::string, const pb::FileDescriptor*> files;
    for (const auto* file : newer.files) files[file->name()] = file;
    if (category_ == BreakingCategory::kPackage) packages(older, newer);
    for (const auto* file : older.files) {
      const auto found = files.find(file->name());
      if (found != files.end())
        compare_files(*file, *found->second);
      else if (category_ == BreakingCategory::kFile)
        breach("FILE_NO_DELETE", file->name(), "file", "");
    }
    compare_all("MESSAGE", older.messages, messages,
                [&](const auto& a, const auto& b) { compare_messages(a, b); });
    compare_all("ENUM", older.enums, enums,
                [&](const auto& a, const auto& b) { compare_enums(a, b); });
    compare_all("SERVICE", older.services, services,
                [&](const auto& a, const auto& b) { compare_services(a, b); });
    compare_extensions(older, newer);
  }

 private:
  [[nodiscard]] bool is_source() const { return category_ <= BreakingCategory::kPackage; }
  [[nodiscard]] bool is_json() const { return category_ <= BreakingCategory::kWireJson; }
  void breach(const char* rule, const std::string& path, const std::string& older,
              const std::string& newer) {
    breaches.push_back({rule, path, older, newer});
  }

  /// What is gone counts where the file or the package counts; what stayed is compared in all of
  /// them.
  template <class D, class Compare>
  void compare_all(const std::string& what, const std::vector<const D*>& older,
                   const std::map<std::string, const D*>& newer, Compare compare) {
    for (const auto* each : older) {
      const auto found = newer.find(each->full_name());
      const bool is_there = found != newer.end();
      if (category_ == BreakingCategory::kFile &&
          (!is_there || found->second->file()->name() != each->file()->name()))
        breach((what + "_NO_DELETE").c_str(), each->full_name(), each->name(), "");
      if (category_ == BreakingCategory::kPackage && !is_there)
        breach(("PACKAGE_" + what + "_NO_DELETE").c_str(), each->full_name(), each->name(), "");
      if (is_there) compare(*each, *found->second);
    }
  }
  /// What is gone is told by name; what stayed is what has its number in the same message.
  void compare_extensions(const Everything& older, const Everything& newer) {
    compare_all("EXTENSION", older.extensions, by_name(newer.extensions),
                [](const auto&, const auto&) {});
    std::map<std::pair<std::string, int>, const pb::FieldDescriptor*> now;
    for (const auto* each : newer.extensions)
      now.emplace(std::pair{each->containing_type()->full_name(), each->number()}, each);
    for (const auto* each : older.extensions) {
      const auto found = now.find({each->containing_type()->full_name(), each->number()});
      if (found != now.end()) compare_fields(*each, *found->second);
    }
  }
  void packages(const Everything& older, const Everything& newer) {
    std::set<std::string> now;
    for (const auto* file : newer.files) now.insert(file->package());
    std::set<std::string> told;
    for (const auto* file : older.files) {
      if (!now.contains(file->package()) && told.insert(file->package()).second)
        breach("PACKAGE_NO_DELETE", file->package(), "package", "");
    }
  }
  void compare_files(const pb::FileDescriptor& a, const pb::FileDescriptor& b) {
    if (a.package() != b.package()) breach("FILE_SAME_PACKAGE", a.name(), a.package(), b.package());
    if (!is_source()) return;
    if (a.syntax() != b.syntax())
      breach("FILE_SAME_SYNTAX", a.name(), pb::FileDescriptor::SyntaxName(a.syntax()),
             pb::FileDescriptor::SyntaxName(b.syntax()));
    const auto& x = a.options();
    const auto& y = b.options();
    const std::pair<const char*, std::pair<std::string, std::string>> options[] = {
        {"FILE_SAME_GO_PACKAGE", {x.go_package(), y.go_package()}},
        {"FILE_SAME_JAVA_PACKAGE", {x.java_package(), y.java_package()}},
        {"FILE_SAME_JAVA_OUTER_CLASSNAME", {x.java_outer_classname(), y.java_outer_classname()}},
        {"FILE_SAME_JAVA_MULTIPLE_FILES",
         {std::to_string(x.java_multiple_files()), std::to_string(y.java_multiple_files())}},
        {"FILE_SAME_CSHARP_NAMESPACE", {x.csharp_namespace(), y.csharp_namespace()}},
        {"FILE_SAME_OBJC_CLASS_PREFIX", {x.objc_class_prefix(), y.objc_class_prefix()}},
        {"FILE_SAME_PHP_NAMESPACE", {x.php_namespace(), y.php_namespace()}},
        {"FILE_SAME_RUBY_PACKAGE", {x.ruby_package(), y.ruby_package()}},
        {"FILE_SAME_SWIFT_PREFIX", {x.swift_prefix(), y.swift_prefix()}},
        {"FILE_SAME_CC_ENABLE_ARENAS",
         {std::to_string(x.cc_enable_arenas()), std::to_string(y.cc_enable_arenas())}},
        {"FILE_SAME_OPTIMIZE_FOR",
         {std::to_string(x.optimize_for()), std::to_string(y.optimize_for())}},
    };
    for (const auto& [rule, values] : options) {
      if (values.first != values.second) breach(rule, a.name(), values.first, values.second);
    }
  }

  void compare_messages(const pb::Descriptor& a, const pb::Descriptor& b) {
    for (int i = 0; i < a.field_count(); ++i) {
      const auto& field = *a.field(i);
      const auto* const now = b.FindFieldByNumber(field.number());
      if (now == nullptr)
        deleted(field, b);
      else
        compare_fields(field, *now);
    }
    if (is_source()) {
      for (int i = 0; i < a.real_oneof_decl_count(); ++i) {
        if (b.FindOneofByName(a.oneof_decl(i)->name()) == nullptr)
          breach("ONEOF_NO_DELETE", a.oneof_decl(i)->full_name(), a.oneof_decl(i)->name(), "");
      }
      if (!a.options().no_standard_descriptor_accessor() &&
          b.options().no_standard_descriptor_accessor())
        breach("MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR", a.full_name(), "false", "true");
    }
    if (a.options().message_set_wire_format() != b.options().message_set_wire_format())
      breach("MESSAGE_SAME_MESSAGE_SET_WIRE_FORMAT", a.full_name(), "", "");
    required_fields(a, b);
    compare_reserved("RESERVED_MESSAGE_NO_DELETE", a, b);
    if (is_source()) compare_extension_ranges(a, b);
  }
  void compare_extension_ranges(const pb::Descriptor& a, const pb::Descriptor& b) {
    for (int i = 0; i < a.extension_range_count(); ++i) {
      const auto* const range = a.extension_range(i);
      bool is_covered = false;
      for (int k = 0; k < b.extension_range_count(); ++k)
        is_covered |=
            b.extension_range(k)->start <= range->start && b.extension_range(k)->end >= range->end;
      if (!is_covered)
        breach("EXTENSION_MESSAGE_NO_DELETE", a.full_name(),
               fmt::format("{} to {}", range->start, range->end - 1), "");
    }
  }
  void required_fields(const pb::Descriptor& a, const pb::Descriptor& b) {
    const auto numbers = [](const pb::Descriptor& message) {
      std::set<int> all;
      for (int i = 0; i < message.field_count(); ++i) {
        if (message.field(i)->is_required()) all.insert(message.field(i)->number());
      }
      return all;
    };
    if (numbers(a) != numbers(b)) breach("MESSAGE_SAME_REQUIRED_FIELDS", a.full_name(), "", "");
  }
  template <class D>
  void compare_reserved(const char* rule, const D& a, const D& b) {
    for (int i = 0; i < a.reserved_name_count(); ++i) {
      if (!reserves(b, a.reserved_name(i))) breach(rule, a.full_name(), a.reserved_name(i), "");
    }
    // A message's ranges exclude their end, an enum's include it.
    constexpr int kInclusive = std::is_same_v<D, pb::EnumDescriptor> ? 0 : 1;
    for (int i = 0; i < a.reserved_range_count(); ++i) {
      const auto* const range = a.reserved_range(i);
      bool is_covered = false;
      for (int k = 0; k < b.reserved_range_count(); ++k)
        is_covered |=
            b.reserved_range(k)->start <= range->start && b.reserved_range(k)->end >= range->end;
      if (!is_covered)
        breach(rule, a.full_name(), fmt::format("{} to {}", range->start, range->end - kInclusive),
               "");
    }
  }
  void deleted(const pb::FieldDescriptor& field, const pb::Descriptor& now) {
    if (is_source()) return breach("FIELD_NO_DELETE", field.full_name(), field.name(), "");
    if (!reserves(now, field.number()))
      breach("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", field.full_name(),
             std::to_string(field.number()), "");
    if (is_json() && !reserves(now, field.name()))
      breach("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", field.full_name(), field.name(), "");
  }

  void compare_fields(const pb::FieldDescriptor& a, const pb::FieldDescriptor& b) {
    const std::string path = a.full_name();
    // In JSON an extension's key is its full name.
    const std::string& before = a.is_extension() ? a.full_name() : a.name();
    const std::string& after = b.is_extension() ? b.full_name() : b.name();
    if (is_json() && before != after) breach("FIELD_SAME_NAME", path, before, after);
    if (is_json() && a.json_name() != b.json_name())
      breach("FIELD_SAME_JSON_NAME", path, a.json_name(), b.json_name());
    const auto* const one = a.real_containing_oneof();
    const auto* const other = b.real_containing_oneof();
    if ((one == nullptr) != (other == nullptr) || (one != nullptr && one->name() != other->name()))
      breach("FIELD_SAME_ONEOF", path, one == nullptr ? "" : one->name(),
             other == nullptr ? "" : other->name());
    compare_cardinality(a, b);
    if (a.is_map() && b.is_map()) {
      compare_types(*a.message_type()->map_key(), *b.message_type()->map_key());
      compare_types(*a.message_type()->map_value(), *b.message_type()->map_value());
    } else if (!a.is_map() && !b.is_map()) {
      compare_types(a, b);
    } else {
      breach(type_rule(), path, a.is_map() ? "map" : type_text(a),
             b.is_map() ? "map" : type_text(b));
    }
    if (is_source() && a.options().jstype() != b.options().jstype())
      breach("FIELD_SAME_JSTYPE", path, std::to_string(a.options().jstype()),
             std::to_string(b.options().jstype()));
    if (is_source() && a.options().ctype() != b.options().ctype())
      breach("FIELD_SAME_CPP_STRING_TYPE", path, std::to_string(a.options().ctype()),
             std::to_string(b.options().ctype()));
    if (default_of(a) != default_of(b))
      breach("FIELD_SAME_DEFAULT", path, default_of(a), default_of(b));
  }
  void compare_cardinality(const pb::FieldDescriptor& a, const pb::FieldDescriptor& b) {
    const auto x = cardinality_of(a);
    const auto y = cardinality_of(b);
    if (x == y) return;
    const auto group = [&](Cardinality each) {
      if (each == Cardinality::kExplicit) return Cardinality::kImplicit;
      return each == Cardinality::kMap && !is_json() ? Cardinality::kRepeated : each;
    };
    if (!is_source() && group(x) == group(y)) return;
    const char* const rule = is_source() ? "FIELD_SAME_CARDINALITY"
                             : is_json() ? "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY"
                                         : "FIELD_WIRE_COMPATIBLE_CARDINALITY";
    breach(rule, a.full_name(), name_of(x), name_of(y));
  }
  [[nodiscard]] const char* type_rule() const {
    return is_source() ? "FIELD_SAME_TYPE"
           : is_json() ? "FIELD_WIRE_JSON_COMPATIBLE_TYPE"
                       : "FIELD_WIRE_COMPATIBLE_TYPE";
  }
  void compare_types(const pb::FieldDescriptor& a, const pb::FieldDescriptor& b) {
    if (!is_same_type(a, b)) breach(type_rule(), a.full_name(), type_text(a), type_text(b));
  }
  [[nodiscard]] bool is_same_type(const pb::FieldDescriptor& a,
                                  const pb::FieldDescriptor& b) const {
    if (a.type() != b.type()) {
      if (is_source()) return false;
      if (is_json()) return json_group(a.type()) == json_group(b.type());
      return wire_group(a.type()) == wire_group(b.type()) ||
             (a.type() == Type::TYPE_STRING && b.type() == Type::TYPE_BYTES);
    }
    if (a.message_type() != nullptr)
      return a.message_type()->full_name() == b.message_type()->full_name();
    if (a.enum_type() == nullptr) return true;
    if (a.enum_type()->full_name() == b.enum_type()->full_name()) return true;
    return !is_source() && a.enum_type()->name() == b.enum_type()->name() &&
           is_subset(*a.enum_type(), *b.enum_type());
  }

  void compare_enums(const pb::EnumDescriptor& a, const pb::EnumDescriptor& b) {
    if (is_proto3(*a.file()) != is_proto3(*b.file()))
      breach("ENUM_SAME_TYPE", a.full_name(), is_proto3(*a.file()) ? "open" : "closed",
             is_proto3(*b.file()) ? "open" : "closed");
    std::map<int, std::vector<std::string>> older, newer;
    for (int i = 0; i < a.value_count(); ++i)
      older[a.value(i)->number()].push_back(a.value(i)->name());
    for (int i = 0; i < b.value_count(); ++i)
      newer[b.value(i)->number()].push_back(b.value(i)->name());
    for (const auto& [number, names] : older) {
      const std::string path = fmt::format("{}.{}", a.full_name(), names.front());
      const auto found = newer.find(number);
      if (found == newer.end()) {
        deleted_value(number, names, path, b);
        continue;
      }
      // Aliases may be added, none may go.
      if (is_json() && std::any_of(names.begin(), names.end(), [&](const auto& name) {
            return std::find(found->second.begin(), found->second.end(), name) ==
                   found->second.end();
          })) {
        breach("ENUM_VALUE_SAME_NAME", path, names.front(), found->second.front());
      }
    }
    compare_reserved("RESERVED_ENUM_NO_DELETE", a, b);
  }
  void deleted_value(int number, const std::vector<std::string>& names, const std::string& path,
                     const pb::EnumDescriptor& now) {
    if (is_source()) return breach("ENUM_VALUE_NO_DELETE", path, std::to_string(number), "");
    if (!reserves(now, number))
      breach("ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", path, std::to_string(number), "");
    if (!is_json()) return;
    for (const auto& name : names) {
      if (!reserves(now, name)) breach("ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", path, name, "");
    }
  }

  void compare_services(const pb::ServiceDescriptor& a, const pb::ServiceDescriptor& b) {
    for (int i = 0; i < a.method_count(); ++i) {
      const auto& method = *a.method(i);
      const auto* const now = b.FindMethodByName(method.name());
      if (now == nullptr) {
        if (is_source()) breach("RPC_NO_DELETE", method.full_name(), method.name(), "");
        continue;
      }
      const auto differ = [&](const char* rule, const std::string& x, const std::string& y) {
        if (x != y) breach(rule, method.full_name(), x, y);
      };
      differ("RPC_SAME_REQUEST_TYPE", method.input_type()->full_name(),
             now->input_type()->full_name());
      differ("RPC_SAME_RESPONSE_TYPE", method.output_type()->full_name(),
             now->output_type()->full_name());
      differ("RPC_SAME_CLIENT_STREAMING", method.client_streaming() ? "stream" : "one",
             now->client_streaming() ? "stream" : "one");
      differ("RPC_SAME_SERVER_STREAMING", method.server_streaming() ? "stream" : "one",
             now->server_streaming() ? "stream" : "one");
      differ("RPC_SAME_IDEMPOTENCY_LEVEL",
             pb::MethodOptions::IdempotencyLevel_Name(method.options().idempotency_level()),
             pb::MethodOptions::IdempotencyLevel_Name(now->options().idempotency_level()));
    }
  }

  const BreakingCategory category_;
};

/// A pool of these files and their imports.
Result<std::unique_ptr<const MessagePool>> pool_of(const std::map<std::string, std::string>& texts,
                                                   std::vector<std::string>& names) {
  for (const auto& [name, text] : texts) names.push_back(name);
  const auto files = HECTOR_TRY(read_proto_files(ProtoSource(&texts), names));
  return MessagePool::make(files);
}

Result<BreakingCategory> category_named(const std::string& name) {
  constexpr std::pair<const char*, BreakingCategory> kCategories[] = {
      {"FILE", BreakingCategory::kFile},
      {"PACKAGE", BreakingCategory::kPackage},
      {"WIRE_JSON", BreakingCategory::kWireJson},
      {"WIRE", BreakingCategory::kWire}};
  for (const auto& [each, category] : kCategories) {
    if (name == each) return category;
  }
  return fail(
      Error::invalid_argument(fmt::format("'{}' is none of FILE, PACKAGE, WIRE_JSON, WIRE", name)));
}

}  // namespace

Result<std::vector<ProtoBreaking>> breaking_changes(const ProtoTexts& older,
                                                    const ProtoTexts& newer,
                                                    const std::string& category) {
  const auto named = HECTOR_TRY(category_named(category));
  Comparison comparison(named);
  std::vector<std::string> older_names, newer_names;
  const auto before = HECTOR_TRY(pool_of(older, older_names));
  const auto after = HECTOR_TRY(pool_of(newer, newer_names));
  comparison.run(Everything(before->pool(), older_names), Everything(after->pool(), newer_names));
  return std::move(comparison.breaches);
}

}  // namespace hector::types
