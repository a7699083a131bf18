#include "roc_description.h"

#include "objects/world_object.h"

namespace hector::zeromq {

using objects::Description;
using objects::Member;
using objects::Parameter;
using objects::ParameterKind;
using objects::text_in;

namespace {

constexpr const char* kCall = "call";  ///< of a service that does not describe itself

Value write_parameters(const std::vector<Parameter>& parameters) {
  Value list = Value::list();
  for (const auto& each : parameters) {
    Value one = Value::map();
    one.put("name", Value::of(std::string_view(each.name)));
    one.put("type", Value::of(std::string_view(each.type)));
    if (each.fallback) one.put("default", *each.fallback);
    list.items.push_back(std::move(one));
  }
  return list;
}

Parameter read_parameter(const Value& said) {
  Parameter made;
  made.name = said.is(Value::Kind::kText) ? said.text : text_in(said, "name");
  made.type = text_in(said, "type");
  if (const auto* fallback = said.find("default")) made.fallback = *fallback;
  const auto* const kind = said.find("kind");
  const auto last = static_cast<std::int64_t>(ParameterKind::kKeywordRest);
  if (kind != nullptr && kind->is(Value::Kind::kInteger) && kind->integer >= 0 &&
      kind->integer <= last)
    made.kind = static_cast<ParameterKind>(kind->integer);
  return made;
}

Member method(std::string name, std::vector<Parameter> parameters) {
  return {Member::Kind::kMethod, std::move(name), std::move(parameters), {}, true, true};
}

/// Of a method that is named without its parameters.
std::vector<Parameter> any_parameters() {
  return {{"arguments", "", ParameterKind::kPositionalRest, {}},
          {"named", "", ParameterKind::kKeywordRest, {}}};
}

void read_methods(const Value& said, Description& made) {
  for (const auto& name : said.elements()) {
    if (name.is(Value::Kind::kText)) made.members.push_back(method(name.text, any_parameters()));
  }
  if (!said.is(Value::Kind::kMap)) return;
  for (std::size_t i = 0; i + 1 < said.items.size(); i += 2) {
    if (said.items[i].text.starts_with('_')) continue;
    std::vector<Parameter> parameters;
    for (const auto& each : said.items[i + 1].elements())
      parameters.push_back(read_parameter(each));
    made.members.push_back(method(said.items[i].text, std::move(parameters)));
  }
}

void read_attributes(const Value& said, Description& made) {
  const auto add = [&](const std::string& name, bool is_writable) {
    made.members.push_back({Member::Kind::kAttribute, name, {}, {}, true, is_writable});
  };
  for (const auto& name : said.elements()) {
    if (name.is(Value::Kind::kText)) add(name.text, true);
  }
  if (!said.is(Value::Kind::kMap)) return;
  for (std::size_t i = 0; i + 1 < said.items.size(); i += 2) {
    const auto& access = said.items[i + 1];
    add(said.items[i].text,
        !access.is(Value::Kind::kText) || access.text.find('w') != std::string::npos);
  }
}

}  // namespace

Value write_description(const std::string& class_name,
                        const std::vector<objects::ShownMember>& members) {
  Value methods = Value::map(), attributes = Value::map();
  for (const auto& each : members) {
    if (each.member.kind == Member::Kind::kMethod)
      methods.put(each.member.name, write_parameters(each.member.parameters));
    else if (each.member.kind == Member::Kind::kAttribute)
      attributes.put(each.member.name, Value::of(each.member.is_writable ? "rw" : "r"));
  }
  Value made = Value::map();
  made.put("class", Value::of(std::string_view(class_name)));
  made.put("methods", std::move(methods));
  made.put("attributes", std::move(attributes));
  return made;
}

Description read_description(const Value& said) {
  Description made;
  made.class_name = text_in(said, "class");
  if (made.class_name.empty()) made.class_name = "Object";
  if (const auto* methods = said.find("methods")) read_methods(*methods, made);
  if (const auto* attributes = said.find("attributes")) read_attributes(*attributes, made);
  if (made.members.empty())
    made.members.push_back(
        method(kCall, {{"method", "str", ParameterKind::kPositionalOrKeyword, {}},
                       {"params", "", ParameterKind::kPositionalOrKeyword, Value::list()}}));
  return made;
}

bool has_only_call(const Description& description) {
  return description.members.size() == 1 && description.members[0].name == kCall;
}

}  // namespace hector::zeromq
