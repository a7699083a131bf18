#include "wire.h"

#include <fmt/format.h>

#include <array>

namespace hector::heros {

using objects::Arguments;
using objects::Description;
using objects::Member;
using objects::Parameter;
using objects::ParameterKind;

std::string key_of(const std::string& realm, const std::string& name, const std::string& member) {
  return fmt::format("@object/{}/{}/{}", realm, name, member);
}

bool is_key_chunk(std::string_view name) {
  return !name.empty() && name.size() <= 200 && name[0] != '@' &&
         name.find_first_of("/*$#?") == std::string_view::npos && objects::is_utf8(name);
}

bool read_key(std::string_view key, std::string_view realm, std::string& name,
              std::string& member) {
  const std::string prefix = fmt::format("@object/{}/", realm);
  if (!key.starts_with(prefix)) return false;
  key.remove_prefix(prefix.size());
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return false;
  name = key.substr(0, slash);
  std::string_view rest = key.substr(slash + 1);
  if (rest.ends_with("/**")) rest.remove_suffix(3);
  member = rest;
  return !name.empty() && !member.empty() && member.find('/') == std::string::npos;
}

namespace {

Value set_of(const std::vector<std::string>& texts) {
  Value list = Value::list();
  for (const auto& each : texts) list.items.push_back(Value::of(std::string_view(each)));
  return Value::tagged(objects::kSetTag, std::move(list));
}
std::vector<std::string> texts_of(const Value* value) {
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  for (const auto& each : value->elements()) {
    if (each.is(Value::Kind::kText) && texts.size() < 1'000) texts.push_back(each.text);
  }
  return texts;
}
std::string text_of(const Value* value) {
  return value != nullptr && value->is(Value::Kind::kText) ? value->text : "";
}
tl::unexpected<Error> type_error(const std::string& what) {
  return fail(Error::invalid_argument(what).with_type("TypeError"));
}

}  // namespace

Value write_discovered(const Discovered& hero) {
  Value made = Value::map();
  made.put("proto_version", Value::of(hero.proto_version));
  made.put("name", Value::of(std::string_view(hero.name)));
  made.put("class", Value::of(std::string_view(hero.class_name)));
  made.put("implements", set_of(hero.implements));
  made.put("tags", set_of(hero.tags));
  Value& metadata = made.put("extra_metadata", Value::map());
  for (const auto& [key, text] : hero.metadata)
    metadata.put(key, Value::of(std::string_view(text)));
  return made;
}

Result<Discovered> read_discovered(const Value& value) {
  Discovered hero;
  hero.name = text_of(value.find("name"));
  if (!is_key_chunk(hero.name))
    return fail(Error::invalid_argument(
        fmt::format("a discovery reply without a name: {}", value.print())));
  if (const auto* version = value.find("proto_version"))
    hero.proto_version =
        version->is(Value::Kind::kInteger) ? static_cast<double>(version->integer) : version->real;
  hero.class_name = text_of(value.find("class"));
  hero.implements = texts_of(value.find("implements"));
  hero.tags = texts_of(value.find("tags"));
  if (const auto* metadata = value.find("extra_metadata");
      metadata != nullptr && metadata->is(Value::Kind::kMap)) {
    for (std::size_t i = 0; i + 1 < metadata->items.size(); i += 2) {
      if (metadata->items[i].is(Value::Kind::kText) &&
          metadata->items[i + 1].is(Value::Kind::kText))
        hero.metadata[metadata->items[i].text] = metadata->items[i + 1].text;
    }
  }
  return hero;
}

namespace {

Value write_parameter(const Parameter& parameter) {
  Value made = Value::map();
  made.put("name", Value::of(std::string_view(parameter.name)));
  made.put("type",
           Value::of(parameter.type.empty() ? "undefined" : std::string_view(parameter.type)));
  made.put("default", parameter.fallback ? *parameter.fallback : Value::of("undefined"));
  made.put("kind", Value::of(static_cast<std::int64_t>(parameter.kind)));
  return made;
}
Value write_member(const Member& member) {
  Value made = Value::map();
  made.put("name", Value::of(std::string_view(member.name)));
  made.put("flavor", Value::of(member.kind == Member::Kind::kMethod      ? "method"
                               : member.kind == Member::Kind::kAttribute ? "attribute"
                                                                         : "event"));
  if (member.kind == Member::Kind::kMethod) {
    Value& parameters = made.put("parameters", Value::list());
    for (const auto& each : member.parameters) parameters.items.push_back(write_parameter(each));
    made.put("return_type",
             Value::of(member.type.empty() ? "None" : std::string_view(member.type)));
  } else if (member.kind == Member::Kind::kAttribute) {
    made.put("type", Value::of(member.type.empty() ? "undefined" : std::string_view(member.type)));
    made.put("access", Value::of(member.is_writable ? "rw" : "r"));
  }
  return made;
}
/// The three that HEROS' users wire events with (1.6).
std::vector<Member> callback_members() {
  const Parameter event{"event", "FunctionType", ParameterKind::kPositionalOrKeyword, {}},
      method{"remote_hero_method", "Callable", ParameterKind::kPositionalOrKeyword, {}};
  const Parameter origin{"origin", "str | None", ParameterKind::kPositionalOrKeyword,
                         Value::null()};
  return {{Member::Kind::kMethod,
           "_connect_local_hero_callback",
           {event, method, origin},
           "str",
           true,
           false},
          {Member::Kind::kMethod,
           "_disconnect_local_hero_callback",
           {event, method},
           "bool",
           true,
           false},
          {Member::Kind::kMethod, "_get_local_hero_callbacks", {event}, "list", true, false}};
}

Parameter read_parameter(const Value& value) {
  Parameter made;
  made.name = text_of(value.find("name"));
  made.type = text_of(value.find("type"));
  if (made.type == "undefined") made.type.clear();
  const auto* const kind = value.find("kind");
  if (kind != nullptr && kind->is(Value::Kind::kInteger) && kind->integer >= 0 &&
      kind->integer <= 4)
    made.kind = static_cast<ParameterKind>(kind->integer);
  const auto* const fallback = value.find("default");
  if (fallback != nullptr && !(fallback->is(Value::Kind::kText) && fallback->text == "undefined"))
    made.fallback = *fallback;
  return made;
}

}  // namespace

Value write_capabilities(const std::vector<objects::ShownMember>& members) {
  Value made = Value::list();
  for (const auto& each : members) made.items.push_back(write_member(each.member));
  for (const auto& each : callback_members()) made.items.push_back(write_member(each));
  return made;
}

Result<Description> read_capabilities(const Value& value, const std::string& class_name) {
  if (!value.is(Value::Kind::kList))
    return fail(
        Error::invalid_argument(fmt::format("capabilities that are no list: {}", value.print())));
  Description made;
  made.class_name = class_name;
  for (const auto& each : value.items) {
    Member member;
    member.name = text_of(each.find("name"));
    if (member.name.empty() || member.name[0] == '_' || !is_key_chunk(member.name)) continue;
    const std::string flavor = text_of(each.find("flavor"));
    if (flavor == "method") {
      if (const auto* parameters = each.find("parameters")) {
        for (const auto& parameter : parameters->elements())
          member.parameters.push_back(read_parameter(parameter));
      }
      member.type = text_of(each.find("return_type"));
      if (member.type == "None") member.type.clear();  // also what is not annotated says so
    } else if (flavor == "attribute") {
      member.kind = Member::Kind::kAttribute;
      member.type = text_of(each.find("type"));
      const std::string access = text_of(each.find("access"));
      member.is_readable = access.empty() || access.find('r') != std::string::npos;
      member.is_writable = access.empty() || access.find('w') != std::string::npos;
      if (member.type == "NoneType" || member.type == "None") member.type.clear();
    } else if (flavor == "event") {
      member.kind = Member::Kind::kEvent;
    } else {
      continue;
    }
    made.members.push_back(std::move(member));
  }
  return made;
}

namespace {

struct Named {
  Code code;
  const char* type;
};
/// Python's built-in exceptions, so that `except ValueError` works there.
constexpr std::array<Named, 12> kExceptions{{{Code::kInvalidArgument, "ValueError"},
                                             {Code::kNotFound, "LookupError"},
                                             {Code::kPermissionDenied, "PermissionError"},
                                             {Code::kUnauthenticated, "PermissionError"},
                                             {Code::kDeadlineExceeded, "TimeoutError"},
                                             {Code::kUnavailable, "ConnectionError"},
                                             {Code::kUnimplemented, "NotImplementedError"},
                                             {Code::kInvalidArgument, "TypeError"},
                                             {Code::kNotFound, "KeyError"},
                                             {Code::kOutOfRange, "IndexError"},
                                             {Code::kNotFound, "AttributeError"},
                                             {Code::kResourceExhausted, "MemoryError"}}};
std::string exception_of(const Error& error) {
  for (const auto& each : kExceptions) {
    if (error.type == each.type) return each.type;
  }
  for (const auto& each : kExceptions) {
    if (error.code == each.code) return each.type;
  }
  return "RuntimeError";
}

}  // namespace

Value write_error(const Error& error) {
  Value made = Value::map();
  made.put("__heros_error__", Value::of(true));
  made.put("type", Value::of(std::string_view(exception_of(error))));
  made.put("module", Value::of("builtins"));
  made.put("message", Value::of(std::string_view(objects::is_utf8(error.message)
                                                     ? error.message
                                                     : "an error whose text is not UTF-8")));
  made.put("traceback", Value::of(""));
  return Value::tagged(kErrorTag, std::move(made));
}

Error read_error(std::string_view payload) {
  if (payload == "Timeout") return Error::deadline_exceeded("the HERO did not answer in time");
  auto value = read_cbor(payload);
  if (!value)
    return {Code::kUnknown, fmt::format("the HERO answered with an error that cannot be read: {}",
                                        value.error().message)};
  if (!value->is(Value::Kind::kTagged) || value->tag != kErrorTag) {
    std::string text = value->is(Value::Kind::kText) ? value->text : value->print();
    text.resize(std::min(text.size(), text.find("\n\n")));  // behind it the traceback of 0.9.1
    return {Code::kUnknown, std::move(text)};
  }
  const Value& map = value->items[0];
  Error error{Code::kUnknown, text_of(map.find("message")), text_of(map.find("type"))};
  for (const auto& each : kExceptions) {
    if (error.type != each.type) continue;
    error.code = each.code;
    break;
  }
  return error;
}

Result<Arguments> read_arguments(Value value) {
  Arguments made;
  if (value.is(Value::Kind::kMap)) {
    made.keywords = std::move(value);
  } else {
    const bool fits = value.is(Value::Kind::kList) && value.items.size() == 2 &&
                      value.items[0].is(Value::Kind::kList) && value.items[1].is(Value::Kind::kMap);
    if (!fits)
      return type_error(fmt::format(
          "a call's payload is [[positional], {{keyword: value}}], not {}", value.print()));
    made.positional = std::move(value.items[0].items);
    made.keywords = std::move(value.items[1]);
  }
  for (std::size_t i = 0; i < made.keywords.items.size(); i += 2) {
    if (!made.keywords.items[i].is(Value::Kind::kText)) return type_error("a keyword is a text");
  }
  return made;
}

Value write_arguments(const Arguments& arguments, double proto_version) {
  if (proto_version > 0.1)
    return Value::list({Value::list(arguments.positional), arguments.keywords});
  return arguments.keywords;
}

}  // namespace hector::heros
