#include "signatures.h"

#include <boost/json.hpp>
#include <optional>

namespace hector::heros {

namespace json = boost::json;

using objects::Parameter;
using objects::ParameterKind;
using objects::Value;

namespace {

/// Nothing: JSON has none such.
std::optional<json::value> json_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return json::value(nullptr);
    case Value::Kind::kBoolean:
      return json::value(value.boolean);
    case Value::Kind::kInteger:
      return json::value(value.integer);
    case Value::Kind::kReal:
      return json::value(value.real);
    case Value::Kind::kText:
      return json::value(value.text);
    case Value::Kind::kList: {
      json::array made;
      for (const auto& each : value.items) {
        auto item = json_of(each);
        if (!item) return std::nullopt;
        made.push_back(std::move(*item));
      }
      return made;
    }
    default:
      return std::nullopt;
  }
}

std::optional<Value> value_of(const json::value& value) {
  if (value.is_null()) return Value::null();
  if (value.is_bool()) return Value::of(value.as_bool());
  if (value.is_int64()) return Value::of(value.as_int64());
  if (value.is_double()) return Value::of(value.as_double());
  if (value.is_string()) return Value::of(std::string_view(value.as_string()));
  if (!value.is_array()) return std::nullopt;
  Value list = Value::list();
  for (const auto& each : value.as_array()) {
    auto item = value_of(each);
    if (!item) return std::nullopt;
    list.items.push_back(std::move(*item));
  }
  return list;
}

json::object said_of(const Parameter& parameter) {
  json::object said;
  if (parameter.kind != ParameterKind::kPositionalOrKeyword)
    said["kind"] = static_cast<int>(parameter.kind);
  if (!parameter.fallback) return said;
  if (auto value = json_of(*parameter.fallback))
    said["default"] = std::move(*value);
  else
    said["optional"] = true;
  return said;
}

void add(const json::object& said, Parameter& parameter) {
  const auto* const kind = said.if_contains("kind");
  if (kind != nullptr && kind->is_int64() && kind->as_int64() >= 0 &&
      kind->as_int64() <= static_cast<int>(ParameterKind::kKeywordRest))
    parameter.kind = static_cast<ParameterKind>(kind->as_int64());
  const auto* const fallback = said.if_contains("default");
  if (fallback == nullptr) {
    if (!said.contains("optional")) parameter.fallback.reset();
  } else if (auto value = value_of(*fallback)) {
    parameter.fallback = std::move(*value);
  }
}

}  // namespace

std::string write_signatures(const objects::Description& description) {
  json::object methods;
  for (const auto& member : description.members) {
    json::object parameters;
    for (const auto& parameter : member.parameters) parameters[parameter.name] = said_of(parameter);
    if (!parameters.empty()) methods[member.name] = std::move(parameters);
  }
  return methods.empty() ? "" : json::serialize(methods);
}

void read_signatures(const std::string& text, std::vector<objects::ShownMember>& members) {
  boost::system::error_code error;
  const auto read = json::parse(text, error);
  if (error || !read.is_object()) return;
  for (auto& shown : members) {
    const auto* const method = read.as_object().if_contains(shown.member.name);
    if (method == nullptr || !method->is_object()) continue;
    for (auto& parameter : shown.member.parameters) {
      const auto* const said = method->as_object().if_contains(parameter.name);
      if (said != nullptr && said->is_object()) add(said->as_object(), parameter);
    }
  }
}

}  // namespace hector::heros
