#include "cli/value.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/stubs/strutil.h>
#include <google/protobuf/util/json_util.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "base/text/quoted.h"
#include "hector/check.h"

namespace hector {

namespace pb = google::protobuf;

namespace {

constexpr int kIndentation = 2;  ///< blanks a level

Value real(double number) {
  if (std::isnan(number)) return Value::text("NaN");
  if (std::isinf(number)) return Value::text(number > 0 ? "Infinity" : "-Infinity");
  return Value::plain(fmt::format("{}", number));
}

/// One value of a field: its only one, or the one at `index` of a repeated field.
class FieldReader {
 public:
  FieldReader(const pb::Message& message, const pb::FieldDescriptor& field)
      : message_(message), field_(field), in_(*message.GetReflection()) {}

  [[nodiscard]] Value value() const {
    using F = pb::FieldDescriptor;
    switch (field_.type()) {
      case F::TYPE_INT32:
      case F::TYPE_SINT32:
      case F::TYPE_SFIXED32:
        return Value::plain(std::to_string(in_.GetInt32(message_, &field_)));
      case F::TYPE_INT64:
      case F::TYPE_SINT64:
      case F::TYPE_SFIXED64:
        return Value::plain(std::to_string(in_.GetInt64(message_, &field_)));
      case F::TYPE_UINT32:
      case F::TYPE_FIXED32:
        return Value::plain(std::to_string(in_.GetUInt32(message_, &field_)));
      case F::TYPE_UINT64:
      case F::TYPE_FIXED64:
        return Value::plain(std::to_string(in_.GetUInt64(message_, &field_)));
      case F::TYPE_DOUBLE:
        return real(in_.GetDouble(message_, &field_));
      case F::TYPE_FLOAT:
        return real(in_.GetFloat(message_, &field_));
      case F::TYPE_BOOL:
        return Value::truth(in_.GetBool(message_, &field_));
      case F::TYPE_ENUM:
        return Value::text(in_.GetEnum(message_, &field_)->name());
      case F::TYPE_STRING:
      case F::TYPE_BYTES:
        return text(in_.GetString(message_, &field_));
      case F::TYPE_MESSAGE:
      case F::TYPE_GROUP:
        return Value::of(in_.GetMessage(message_, &field_));
    }
    HECTOR_CHECK(false, "a field has a type that Protobuf has not");
  }

  [[nodiscard]] Value value_at(int index) const {
    using F = pb::FieldDescriptor;
    switch (field_.type()) {
      case F::TYPE_INT32:
      case F::TYPE_SINT32:
      case F::TYPE_SFIXED32:
        return Value::plain(std::to_string(in_.GetRepeatedInt32(message_, &field_, index)));
      case F::TYPE_INT64:
      case F::TYPE_SINT64:
      case F::TYPE_SFIXED64:
        return Value::plain(std::to_string(in_.GetRepeatedInt64(message_, &field_, index)));
      case F::TYPE_UINT32:
      case F::TYPE_FIXED32:
        return Value::plain(std::to_string(in_.GetRepeatedUInt32(message_, &field_, index)));
      case F::TYPE_UINT64:
      case F::TYPE_FIXED64:
        return Value::plain(std::to_string(in_.GetRepeatedUInt64(message_, &field_, index)));
      case F::TYPE_DOUBLE:
        return real(in_.GetRepeatedDouble(message_, &field_, index));
      case F::TYPE_FLOAT:
        return real(in_.GetRepeatedFloat(message_, &field_, index));
      case F::TYPE_BOOL:
        return Value::truth(in_.GetRepeatedBool(message_, &field_, index));
      case F::TYPE_ENUM:
        return Value::text(in_.GetRepeatedEnum(message_, &field_, index)->name());
      case F::TYPE_STRING:
      case F::TYPE_BYTES:
        return text(in_.GetRepeatedString(message_, &field_, index));
      case F::TYPE_MESSAGE:
      case F::TYPE_GROUP:
        return Value::of(in_.GetRepeatedMessage(message_, &field_, index));
    }
    HECTOR_CHECK(false, "a field has a type that Protobuf has not");
  }

 private:
  [[nodiscard]] Value text(const std::string& octets) const {
    if (field_.type() != pb::FieldDescriptor::TYPE_BYTES) return Value::text(octets);
    std::string encoded;
    pb::Base64Escape(octets, &encoded);
    return Value::text(encoded);
  }

  const pb::Message& message_;
  const pb::FieldDescriptor& field_;
  const pb::Reflection& in_;
};

/// A map's entries by key, so that the same map is always written alike.
Value map_of(const pb::Message& message, const pb::FieldDescriptor& field) {
  const auto& in = *message.GetReflection();
  HECTOR_CHECK(field.is_map(), "a field that is no map is written as one");
  std::vector<std::pair<std::string, Value>> sorted;
  for (int i = 0; i < in.FieldSize(message, &field); ++i) {
    const auto& entry = in.GetRepeatedMessage(message, &field, i);
    sorted.emplace_back(FieldReader(entry, *field.message_type()->map_key()).value().scalar(),
                        FieldReader(entry, *field.message_type()->map_value()).value());
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  auto map = Value::map();
  for (auto& [key, value] : sorted) map.with(std::move(key), std::move(value));
  return map;
}

Value list_of(const pb::Message& message, const pb::FieldDescriptor& field) {
  const FieldReader reader(message, field);
  HECTOR_CHECK(field.is_repeated(), "a field that is not repeated is written as a list");
  auto list = Value::list();
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i)
    list.add(reader.value_at(i));
  return list;
}

/// JSON is YAML, and yaml-cpp keeps numbers as they are written.
Value of_yaml(const YAML::Node& node) {
  if (node.IsMap()) {
    auto map = Value::map();
    for (const auto& pair : node) map.with(pair.first.Scalar(), of_yaml(pair.second));
    return map;
  }
  if (node.IsSequence()) {
    auto list = Value::list();
    for (const auto& item : node) list.add(of_yaml(item));
    return list;
  }
  if (node.IsNull()) return Value::plain("null");
  return node.Tag() == "!" ? Value::text(node.Scalar()) : Value::plain(node.Scalar());
}

std::string scalar_text(const Value& value) {
  return value.kind() == Value::Kind::kText ? json_quoted(value.scalar()) : value.scalar();
}

void write_json(const Value& value, int depth, bool is_for_people, std::string& out) {
  const bool is_map = value.kind() == Value::Kind::kMap;
  if (!is_map && value.kind() != Value::Kind::kList) {
    out += scalar_text(value);
    return;
  }
  const auto new_line = [&](int at) {
    if (is_for_people) out += "\n" + std::string(static_cast<std::size_t>(at * kIndentation), ' ');
  };
  out += is_map ? '{' : '[';
  bool is_first = true;
  for (const auto& [key, entry] : value.entries()) {
    if (!std::exchange(is_first, false)) out += is_for_people ? "," : ", ";
    new_line(depth + 1);
    if (is_map) out += json_quoted(key) + ": ";
    write_json(entry, depth + 1, is_for_people, out);
  }
  if (!is_first) new_line(depth);
  out += is_map ? '}' : ']';
}

bool is_empty_or_scalar(const Value& value) {
  const bool is_collection =
      value.kind() == Value::Kind::kList || value.kind() == Value::Kind::kMap;
  return !is_collection || value.entries().empty();
}

std::string yaml_key(const std::string& key) {
  static const std::regex plain("[A-Za-z_][A-Za-z0-9_.-]*");
  static const std::regex taken("null|true|false|yes|no|on|off|y|n", std::regex::icase);
  return std::regex_match(key, plain) && !std::regex_match(key, taken) ? key : json_quoted(key);
}

void write_yaml(const Value& value, std::size_t indentation, std::string& out) {
  const std::string before(indentation, ' ');
  bool is_first = true;  // the first line stands behind what led here
  for (const auto& [key, entry] : value.entries()) {
    if (!std::exchange(is_first, false)) out += before;
    if (value.kind() == Value::Kind::kList) {
      out += "- ";
      if (is_empty_or_scalar(entry)) {
        out += json_line(entry) + "\n";
      } else {
        write_yaml(entry, indentation + kIndentation, out);
      }
    } else if (is_empty_or_scalar(entry)) {
      out += yaml_key(key) + ": " + json_line(entry) + "\n";
    } else {
      out += yaml_key(key) + ":\n" + before + std::string(kIndentation, ' ');
      write_yaml(entry, indentation + kIndentation, out);
    }
  }
}

/// What a map says it is called; "" if it does not.
std::string own_name(const Value& map) {
  for (const char* wanted : {"name", "id", "type", "binding", "object", "reference"}) {
    for (const auto& [key, entry] : map.entries()) {
      if (key == wanted && entry.kind() == Value::Kind::kText && !entry.scalar().empty())
        return entry.scalar();
    }
  }
  return {};
}

/// What a reply is about: itself if it is a list, or the first list of a map without a name.
const Value* list_in(const Value& value) {
  if (value.kind() == Value::Kind::kList) return &value;
  if (!own_name(value).empty()) return nullptr;
  for (const auto& [key, entry] : value.entries()) {
    if (entry.kind() == Value::Kind::kList) return &entry;
  }
  return nullptr;
}

std::string name_of(const Value& value) {
  if (value.kind() != Value::Kind::kMap) return value.scalar();
  if (auto name = own_name(value); !name.empty()) return name;
  const auto& entries = value.entries();
  const auto first = std::find_if(entries.begin(), entries.end(), [](const auto& entry) {
    return entry.second.kind() == Value::Kind::kText || entry.second.kind() == Value::Kind::kPlain;
  });
  return first == entries.end() ? "" : first->second.scalar();
}

}  // namespace

Value Value::texts(const std::vector<std::string>& texts) {
  auto list = Value::list();
  for (const auto& text : texts) list.add(Value::text(text));
  return list;
}

Value Value::of(const pb::Message& message) {
  if (message.GetDescriptor()->file()->package() ==
      "google.protobuf") {  // have a JSON of their own
    std::string json;
    if (pb::util::MessageToJsonString(message, &json).ok()) return from_json(json);
  }
  auto map = Value::map();
  const auto& in = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const auto& field = *message.GetDescriptor()->field(i);
    if (field.is_map()) {
      map.with(field.name(), map_of(message, field));
    } else if (field.is_repeated()) {
      map.with(field.name(), list_of(message, field));
    } else if (!field.has_presence() || in.HasField(message, &field)) {
      map.with(field.name(), FieldReader(message, field).value());
    }
  }
  return map;
}

Value Value::from_json(const std::string& json) {
  try {
    return of_yaml(YAML::Load(json));
  } catch (const YAML::Exception&) {
    return text(json);
  }
}

std::string json_line(const Value& value) {
  std::string out;
  write_json(value, 0, false, out);
  return out;
}

std::string json_text(const Value& value) {
  std::string out;
  write_json(value, 0, true, out);
  return out + "\n";
}

std::string yaml_text(const Value& value) {
  if (is_empty_or_scalar(value)) return json_line(value) + "\n";
  std::string out;
  write_yaml(value, 0, out);
  return out;
}

std::string names_text(const Value& value) {
  const Value* const list = list_in(value);
  if (list == nullptr) return name_of(value) + "\n";
  std::string out;
  for (const auto& [key, entry] : list->entries()) out += name_of(entry) + "\n";
  return out;
}

std::string json_lines(const Value& value) {
  const Value* const list = list_in(value);
  if (list == nullptr) return json_line(value) + "\n";
  std::string out;
  for (const auto& [key, entry] : list->entries()) out += json_line(entry) + "\n";
  return out;
}

}  // namespace hector
