#include "objects/messages.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <openssl/evp.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <map>
#include <mutex>

#include "hector/check.h"

namespace hector::objects {

namespace {

namespace pb = google::protobuf;
using Type = pb::FieldDescriptor::CppType;

constexpr int kDepthMax = 100;  // as Protobuf's own parser has it
/// The message that anything fits in.
constexpr const char* kValueName = "hector.value.v1.Value";

/// As Python says it, so that a foreign caller gets the exception that it expects.
Error wrong(std::string what) {
  return Error::invalid_argument(std::move(what)).with_type("TypeError");
}

Value value_of(const pb::Message& message);

Value value_message(const pb::Message& message) {
  const auto& reflection = *message.GetReflection();
  const auto* const chosen =
      reflection.GetOneofFieldDescriptor(message, message.GetDescriptor()->oneof_decl(0));
  if (chosen == nullptr) return Value::null();
  switch (chosen->number()) {
    case 2:
      return Value::of(reflection.GetBool(message, chosen));
    case 3:
      return Value::of(reflection.GetInt64(message, chosen));
    case 4:
      return Value::of(reflection.GetDouble(message, chosen));
    case 5:
      return Value::of(std::string_view(reflection.GetString(message, chosen)));
    case 6:
      return Value::octets(reflection.GetString(message, chosen));
    default:
      break;
  }
  if (chosen->number() == 1) return Value::null();
  const auto& inner = reflection.GetMessage(message, chosen);
  const auto& inside = *inner.GetReflection();
  const auto* const first = inner.GetDescriptor()->field(0);
  if (chosen->number() == 9)
    return Value::tagged(inside.GetUInt64(inner, first),
                         value_message(inside.GetMessage(inner, inner.GetDescriptor()->field(1))));
  Value made = chosen->number() == 7 ? Value::list() : Value::map();
  for (int i = 0; i < inside.FieldSize(inner, first); ++i) {
    const auto& item = inside.GetRepeatedMessage(inner, first, i);
    if (chosen->number() == 7) {
      made.items.push_back(value_message(item));
    } else {
      for (int side = 0; side < 2; ++side)
        made.items.push_back(value_message(
            item.GetReflection()->GetMessage(item, item.GetDescriptor()->field(side))));
    }
  }
  return made;
}

Value field_value(const pb::Message& message, const pb::FieldDescriptor& field, int at) {
  const auto& r = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case Type::CPPTYPE_INT32:
      return Value::of(std::int64_t{repeated ? r.GetRepeatedInt32(message, &field, at)
                                             : r.GetInt32(message, &field)});
    case Type::CPPTYPE_INT64:
      return Value::of(std::int64_t{repeated ? r.GetRepeatedInt64(message, &field, at)
                                             : r.GetInt64(message, &field)});
    case Type::CPPTYPE_UINT32:
      return Value::of(std::int64_t{repeated ? r.GetRepeatedUInt32(message, &field, at)
                                             : r.GetUInt32(message, &field)});
    case Type::CPPTYPE_UINT64:
      return Value::of_unsigned(repeated ? r.GetRepeatedUInt64(message, &field, at)
                                         : r.GetUInt64(message, &field));
    case Type::CPPTYPE_DOUBLE:
      return Value::of(repeated ? r.GetRepeatedDouble(message, &field, at)
                                : r.GetDouble(message, &field));
    case Type::CPPTYPE_FLOAT:
      return Value::of(
          double{repeated ? r.GetRepeatedFloat(message, &field, at) : r.GetFloat(message, &field)});
    case Type::CPPTYPE_BOOL:
      return Value::of(repeated ? r.GetRepeatedBool(message, &field, at)
                                : r.GetBool(message, &field));
    case Type::CPPTYPE_ENUM:
      return Value::of(std::string_view(
          (repeated ? r.GetRepeatedEnum(message, &field, at) : r.GetEnum(message, &field))
              ->name()));
    case Type::CPPTYPE_STRING: {
      const std::string text =
          repeated ? r.GetRepeatedString(message, &field, at) : r.GetString(message, &field);
      return field.type() == pb::FieldDescriptor::TYPE_BYTES ? Value::octets(text)
                                                             : Value::of(std::string_view(text));
    }
    default:
      return value_of(repeated ? r.GetRepeatedMessage(message, &field, at)
                               : r.GetMessage(message, &field));
  }
}

Value whole_field(const pb::Message& message, const pb::FieldDescriptor& field) {
  if (!field.is_repeated()) {
    const bool is_missing =
        field.has_presence() && !message.GetReflection()->HasField(message, &field);
    return is_missing ? Value::null() : field_value(message, field, 0);
  }
  Value made = field.is_map() ? Value::map() : Value::list();
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    if (!field.is_map()) {
      made.items.push_back(field_value(message, field, i));
      continue;
    }
    const auto& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    for (int side = 0; side < 2; ++side)
      made.items.push_back(field_value(entry, *entry.GetDescriptor()->field(side), 0));
  }
  return made;
}

/// A message of several fields is a map of what is there.
Value value_of(const pb::Message& message) {
  const auto& descriptor = *message.GetDescriptor();
  if (descriptor.full_name() == kValueName) return value_message(message);
  Value made = Value::map();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto& field = *descriptor.field(i);
    if (field.has_presence() && !message.GetReflection()->HasField(message, &field)) continue;
    made.put(field.name(), whole_field(message, field));
  }
  return made;
}

// --- values into messages ---

/// How deep a value is filled in, and what a text means where octets are expected.
struct Filling {
  BytesText texts = BytesText::kAsTheyAre;
  int depth = 0;
  [[nodiscard]] Filling deeper() const { return {texts, depth + 1}; }
};

Status fill(pb::Message& message, const Value& value, const std::string& where, Filling filling);

Status fill_value(pb::Message& message, const Value& value, int depth) {
  if (depth > kDepthMax)
    return fail(wrong(fmt::format("a value is nested more than {} deep", kDepthMax)));
  const auto& r = *message.GetReflection();
  const auto* const d = message.GetDescriptor();
  const auto* const field = d->FindFieldByNumber(static_cast<int>(value.kind) + 1);
  switch (value.kind) {
    case Value::Kind::kNull:
      r.SetBool(&message, field, true);
      return {};
    case Value::Kind::kBoolean:
      r.SetBool(&message, field, value.boolean);
      return {};
    case Value::Kind::kInteger:
      r.SetInt64(&message, field, value.integer);
      return {};
    case Value::Kind::kReal:
      r.SetDouble(&message, field, value.real);
      return {};
    case Value::Kind::kText:
    case Value::Kind::kOctets:
      r.SetString(&message, field, value.text);
      return {};
    default:
      break;
  }
  auto& inner = *r.MutableMessage(&message, field);
  const auto& inside = *inner.GetReflection();
  const auto* const first = inner.GetDescriptor()->field(0);
  if (value.kind == Value::Kind::kTagged) {
    inside.SetUInt64(&inner, first, value.tag);
    return fill_value(*inside.MutableMessage(&inner, inner.GetDescriptor()->field(1)),
                      value.items.at(0), depth + 1);
  }
  const std::size_t step = value.kind == Value::Kind::kMap ? 2 : 1;
  for (std::size_t i = 0; i + step <= value.items.size(); i += step) {
    auto& item = *inside.AddMessage(&inner, first);
    for (std::size_t side = 0; side < step; ++side) {
      auto& into = step == 1 ? item
                             : *item.GetReflection()->MutableMessage(
                                   &item, item.GetDescriptor()->field(static_cast<int>(side)));
      HECTOR_TRY(fill_value(into, value.items[i + side], depth + 1));
    }
  }
  return {};
}

/// Of RFC 4648, section 4, with its padding; nothing if it is none.
std::optional<std::string> octets_of_base64(const std::string& text) {
  if (text.size() % 4 != 0 || text.size() > INT_MAX) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") <
      text.size() - padding)
    return std::nullopt;
  std::string octets(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  octets.resize(static_cast<std::size_t>(size) - padding);
  return octets;
}

/// `whole`: the value's, if it is an integer of 64 bits with a sign or a real of such a number.
std::optional<std::uint64_t> unsigned_of(const Value& value, std::int64_t whole) {
  if (is_bignum(value)) return unsigned_of_bignum(value);
  const bool is_small = value.kind == Value::Kind::kInteger || whole != 0 || value.real == 0;
  const bool is_number = value.kind == Value::Kind::kInteger || value.kind == Value::Kind::kReal;
  if (!is_number || !is_small || whole < 0) return std::nullopt;
  return static_cast<std::uint64_t>(whole);
}

/// One item; `adds` to a repeated field.
Status set_one(pb::Message& message, const pb::FieldDescriptor& field, const Value& value,
               const std::string& where, Filling filling) {
  const auto& r = *message.GetReflection();
  const bool adds = field.is_repeated();
  const auto refuse = [&](const char* expected) {
    return fail(wrong(fmt::format("'{}' expects {}, not {}", where, expected, value.print())));
  };
  const bool is_whole = value.kind == Value::Kind::kInteger ||
                        (value.kind == Value::Kind::kReal && value.real == std::floor(value.real) &&
                         std::abs(value.real) < 9.0e18);
  const std::int64_t whole = value.kind == Value::Kind::kInteger ? value.integer
                             : is_whole ? static_cast<std::int64_t>(value.real)
                                        : 0;
  const double real = value.kind == Value::Kind::kInteger ? static_cast<double>(value.integer)
                      : is_bignum(value)                  ? real_of_bignum(value)
                                                          : value.real;
  const bool is_number =
      value.kind == Value::Kind::kInteger || value.kind == Value::Kind::kReal || is_bignum(value);
  switch (field.cpp_type()) {
    case Type::CPPTYPE_INT32:
      if (!is_whole || whole != static_cast<std::int32_t>(whole))
        return refuse("an integer of 32 bits");
      adds ? r.AddInt32(&message, &field, static_cast<std::int32_t>(whole))
           : r.SetInt32(&message, &field, static_cast<std::int32_t>(whole));
      return {};
    case Type::CPPTYPE_UINT32:
      if (!is_whole || whole != static_cast<std::uint32_t>(whole))
        return refuse("an integer of 32 bits, not negative");
      adds ? r.AddUInt32(&message, &field, static_cast<std::uint32_t>(whole))
           : r.SetUInt32(&message, &field, static_cast<std::uint32_t>(whole));
      return {};
    case Type::CPPTYPE_INT64:
      if (!is_whole) return refuse("an integer of 64 bits");
      adds ? r.AddInt64(&message, &field, whole) : r.SetInt64(&message, &field, whole);
      return {};
    case Type::CPPTYPE_UINT64: {
      const auto number = unsigned_of(value, whole);
      if (!number) return refuse("an integer of 64 bits, not negative");
      adds ? r.AddUInt64(&message, &field, *number) : r.SetUInt64(&message, &field, *number);
      return {};
    }
    case Type::CPPTYPE_DOUBLE:
      if (!is_number) return refuse("a number");
      adds ? r.AddDouble(&message, &field, real) : r.SetDouble(&message, &field, real);
      return {};
    case Type::CPPTYPE_FLOAT:
      if (!is_number) return refuse("a number");
      adds ? r.AddFloat(&message, &field, static_cast<float>(real))
           : r.SetFloat(&message, &field, static_cast<float>(real));
      return {};
    case Type::CPPTYPE_BOOL:
      if (value.kind != Value::Kind::kBoolean) return refuse("true or false");
      adds ? r.AddBool(&message, &field, value.boolean)
           : r.SetBool(&message, &field, value.boolean);
      return {};
    case Type::CPPTYPE_ENUM: {
      const auto* const chosen =
          value.kind == Value::Kind::kText ? field.enum_type()->FindValueByName(value.text)
          : is_whole ? field.enum_type()->FindValueByNumber(static_cast<int>(whole))
                     : nullptr;
      if (chosen == nullptr)
        return refuse(("a name of " + std::string(field.enum_type()->full_name())).c_str());
      adds ? r.AddEnum(&message, &field, chosen) : r.SetEnum(&message, &field, chosen);
      return {};
    }
    case Type::CPPTYPE_STRING: {
      const bool is_bytes = field.type() == pb::FieldDescriptor::TYPE_BYTES;
      if (value.kind != Value::Kind::kText && !(is_bytes && value.kind == Value::Kind::kOctets))
        return refuse(is_bytes ? "octets" : "a text");
      if (is_bytes && value.kind == Value::Kind::kText && filling.texts == BytesText::kBase64) {
        const auto octets = octets_of_base64(value.text);
        if (!octets) return refuse("octets as base64");
        adds ? r.AddString(&message, &field, *octets) : r.SetString(&message, &field, *octets);
        return {};
      }
      adds ? r.AddString(&message, &field, value.text) : r.SetString(&message, &field, value.text);
      return {};
    }
    default:
      return fill(adds ? *r.AddMessage(&message, &field) : *r.MutableMessage(&message, &field),
                  value, where, filling.deeper());
  }
}

Status set_field(pb::Message& message, const pb::FieldDescriptor& field, const Value& value,
                 const std::string& where, Filling filling) {
  const bool takes_null =
      field.cpp_type() == Type::CPPTYPE_MESSAGE && field.message_type()->full_name() == kValueName;
  if (value.is_null() && (field.is_repeated() || (field.has_presence() && !takes_null))) return {};
  if (field.is_map()) {
    if (value.kind != Value::Kind::kMap)
      return fail(wrong(fmt::format("'{}' expects a map, not {}", where, value.print())));
    for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
      auto& entry = *message.GetReflection()->AddMessage(&message, &field);
      for (int side = 0; side < 2; ++side) {
        HECTOR_TRY(set_one(entry, *entry.GetDescriptor()->field(side),
                           value.items[i + static_cast<std::size_t>(side)], where, filling));
      }
    }
    return {};
  }
  if (!field.is_repeated()) return set_one(message, field, value, where, filling);
  const bool is_list = value.kind == Value::Kind::kList ||
                       (value.kind == Value::Kind::kTagged && value.tag == kSetTag);
  if (!is_list)
    return fail(wrong(fmt::format("'{}' expects a list, not {}", where, value.print())));
  for (const auto& each : value.elements()) {
    HECTOR_TRY(set_one(message, field, each, where, filling));
  }
  return {};
}

Status fill(pb::Message& message, const Value& value, const std::string& where, Filling filling) {
  if (filling.depth > kDepthMax)
    return fail(wrong(fmt::format("a value is nested more than {} deep", kDepthMax)));
  const auto& descriptor = *message.GetDescriptor();
  if (descriptor.full_name() == kValueName) return fill_value(message, value, filling.depth);
  if (value.kind != Value::Kind::kMap) {
    if (descriptor.field_count() == 1)
      return set_field(message, *descriptor.field(0), value, where, filling);
    return fail(wrong(fmt::format("'{}' expects a map of {}'s fields, not {}", where,
                                  std::string(descriptor.name()), value.print())));
  }
  for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
    const auto* const field = value.items[i].kind == Value::Kind::kText
                                  ? descriptor.FindFieldByName(value.items[i].text)
                                  : nullptr;
    if (field == nullptr)
      return fail(wrong(fmt::format("{} has no field {}", std::string(descriptor.name()),
                                    value.items[i].print())));
    HECTOR_TRY(
        set_field(message, *field, value.items[i + 1], where + "." + field->name(), filling));
  }
  return {};
}

const char* python_type(const pb::FieldDescriptor& field) {
  if (field.is_map()) return "dict";
  if (field.is_repeated()) return "list";
  switch (field.cpp_type()) {
    case Type::CPPTYPE_INT32:
    case Type::CPPTYPE_INT64:
    case Type::CPPTYPE_UINT32:
    case Type::CPPTYPE_UINT64:
      return "int";
    case Type::CPPTYPE_DOUBLE:
    case Type::CPPTYPE_FLOAT:
      return "float";
    case Type::CPPTYPE_BOOL:
      return "bool";
    case Type::CPPTYPE_ENUM:
      return "str";
    case Type::CPPTYPE_STRING:
      return field.type() == pb::FieldDescriptor::TYPE_BYTES ? "bytes" : "str";
    default:
      return field.message_type()->full_name() == kValueName ? "" : "dict";
  }
}

/// In the order of their numbers.
std::vector<const pb::FieldDescriptor*> fields_of(const pb::Descriptor& descriptor) {
  std::vector<const pb::FieldDescriptor*> fields;
  for (int i = 0; i < descriptor.field_count(); ++i) fields.push_back(descriptor.field(i));
  std::sort(fields.begin(), fields.end(),
            [](const auto* a, const auto* b) { return a->number() < b->number(); });
  return fields;
}

bool is_value(const pb::FieldDescriptor& field) {
  return field.cpp_type() == Type::CPPTYPE_MESSAGE &&
         field.message_type()->full_name() == kValueName;
}
/// map<string, hector.value.v1.Value>
bool is_value_map(const pb::FieldDescriptor& field) {
  return field.is_map() && field.message_type()->field(0)->cpp_type() == Type::CPPTYPE_STRING &&
         is_value(*field.message_type()->field(1));
}
/// hector.value.v1.Untyped
bool is_untyped(const pb::FieldDescriptor& field) {
  return !field.is_repeated() && field.cpp_type() == Type::CPPTYPE_MESSAGE &&
         field.message_type()->full_name() == "hector.value.v1.Untyped" &&
         field.message_type()->field_count() == 1 && is_value_map(*field.message_type()->field(0));
}

/// See Field::kind.
std::vector<ParameterKind> kinds_of(const std::vector<const pb::FieldDescriptor*>& fields) {
  std::vector<ParameterKind> kinds;
  auto kind = ParameterKind::kPositionalOrKeyword;
  for (const auto* field : fields) {
    const bool is_named_rest = field == fields.back() && is_value_map(*field);
    const bool is_rest = kind == ParameterKind::kPositionalOrKeyword && field->is_repeated() &&
                         !field->is_map() && is_value(*field);
    kinds.push_back(is_named_rest ? ParameterKind::kKeywordRest
                    : is_rest     ? ParameterKind::kPositionalRest
                                  : kind);
    if (is_rest) kind = ParameterKind::kKeywordOnly;
  }
  return kinds;
}

class Codec final : public MessageCodec {
 public:
  explicit Codec(BytesText texts) : texts_(texts) {}
  Status read(const Interface& interface) {
    pb::FileDescriptorSet files;
    if (!files.ParseFromString(interface.descriptors()))
      return fail(
          Error::invalid_argument(interface.id() + ": its message descriptors cannot be parsed"));
    std::map<std::string, const pb::FileDescriptorProto*> by_name;
    for (const auto& file : files.file()) by_name[file.name()] = &file;
    std::function<void(const std::string&)> add = [&](const std::string& name) {
      if (pool_.FindFileByName(name) != nullptr || !by_name.contains(name)) return;
      for (const auto& import : by_name[name]->dependency()) add(import);
      pool_.BuildFile(*by_name[name]);
    };
    for (const auto& [name, file] : by_name) add(name);
    for (const auto& operation : interface.operations()) {
      const auto shape = [&](const std::string& name) {
        Shape made;
        const auto* const descriptor = name.empty() ? nullptr : pool_.FindMessageTypeByName(name);
        if (descriptor == nullptr) return made;
        made = {factory_.GetPrototype(descriptor), fields_of(*descriptor), {}, nullptr};
        if (!made.fields.empty() && is_untyped(*made.fields.back())) {
          made.untyped = made.fields.back();
          made.fields.pop_back();
        }
        made.kinds = kinds_of(made.fields);
        return made;
      };
      operations_.push_back({shape(operation.input), shape(operation.output)});
      if (operations_.back().in.prototype == nullptr)
        return fail(Code::kInvalidArgument,
                    fmt::format("{}: message {} of '{}' is unknown", interface.id(),
                                operation.input, operation.name));
    }
    return {};
  }

  std::vector<Field> input_fields(const Operation& operation) const override {
    return described(of(operation).in);
  }
  std::vector<Field> output_fields(const Operation& operation) const override {
    return described(of(operation).out);
  }

  Result<Bytes> request_of(const Operation& operation, const Arguments& arguments) const override {
    const auto& shape = of(operation).in;
    const auto& fields = shape.fields;
    const std::unique_ptr<pb::Message> message(shape.prototype == nullptr ? nullptr
                                                                          : shape.prototype->New());
    std::vector<bool> given(fields.size(), false);
    const auto set_given = [&](std::size_t i, const Value& value) -> Status {
      if (given[i])
        return fail(wrong(fmt::format("{}() got several values for argument '{}'", operation.name,
                                      std::string(fields[i]->name()))));
      given[i] = true;
      return set(shape, *message, *fields[i], value, std::string(fields[i]->name()));
    };
    const auto has = [&](std::size_t i, ParameterKind kind) {
      return i < fields.size() && shape.kinds[i] == kind;
    };
    std::size_t next = 0;
    for (std::size_t k = 0; k < arguments.positional.size(); ++k) {
      if (has(next, ParameterKind::kPositionalRest)) {
        Value rest = Value::list();
        rest.items.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(k),
                          arguments.positional.end());
        HECTOR_TRY(set_given(next, rest));
        break;
      }
      if (!has(next, ParameterKind::kPositionalOrKeyword))
        return fail(wrong(fmt::format("{}() takes {} arguments, {} were given", operation.name,
                                      next, arguments.positional.size())));
      HECTOR_TRY(set_given(next++, arguments.positional[k]));
    }
    Value others = Value::map();
    for (std::size_t k = 0; k + 1 < arguments.keywords.items.size(); k += 2) {
      const std::string& name = arguments.keywords.items[k].text;
      std::size_t i = 0;
      while (i < fields.size() &&
             ((fields[i]->name() != name && std::string(fields[i]->name()) + "_" != name) ||
              shape.kinds[i] == ParameterKind::kKeywordRest))
        ++i;
      if (i < fields.size()) {
        HECTOR_TRY(set_given(i, arguments.keywords.items[k + 1]));
      } else if (!fields.empty() && has(fields.size() - 1, ParameterKind::kKeywordRest)) {
        others.put(name, arguments.keywords.items[k + 1]);
      } else {
        return fail(
            wrong(fmt::format("{}() got an unexpected argument '{}'", operation.name, name)));
      }
    }
    if (!others.items.empty()) HECTOR_TRY(set_given(fields.size() - 1, others));
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (!given[i] && !is_optional(*fields[i]))
        return fail(wrong(fmt::format("{}() misses the argument '{}'", operation.name,
                                      std::string(fields[i]->name()))));
    }
    return message ? Bytes::take(message->SerializeAsString()) : Bytes();
  }

  Result<Value> value_of_reply(const Operation& operation, const Bytes& reply) const override {
    return bare(of(operation).out, reply);
  }
  Result<Value> value_of_request(const Operation& operation, const Bytes& request) const override {
    return bare(of(operation).in, request);
  }

  Result<Arguments> arguments_of(const Operation& operation, const Bytes& request,
                                 const std::vector<Parameter>& parameters) const override {
    auto message = HECTOR_TRY(parse(of(operation).in, request));
    Arguments made;
    const auto& shape = of(operation).in;
    const auto& fields = shape.fields;
    const auto rest = std::find_if(parameters.begin(), parameters.end(), [](const auto& each) {
      return each.kind == ParameterKind::kPositionalRest;
    });
    const auto rest_at = static_cast<std::size_t>(rest - parameters.begin());
    const bool all_positional = rest != parameters.end() && rest_at < fields.size() &&
                                message->GetReflection()->FieldSize(*message, fields[rest_at]) > 0;
    for (std::size_t i = 0; i < parameters.size() && i < fields.size(); ++i) {
      const auto& parameter = parameters[i];
      const bool is_there = untyped_of(shape, *message, *fields[i]) != nullptr ||
                            !fields[i]->has_presence() ||
                            message->GetReflection()->HasField(*message, fields[i]);
      Value value = read_field(shape, *message, *fields[i]);
      if (parameter.kind == ParameterKind::kPositionalRest) {
        for (auto& each : value.items) made.positional.push_back(std::move(each));
      } else if (parameter.kind == ParameterKind::kKeywordRest) {
        for (auto& each : value.items) made.keywords.items.push_back(std::move(each));
      } else if (parameter.fallback && !all_positional && !is_there) {
        continue;
      } else if (parameter.kind == ParameterKind::kPositionalOnly ||
                 (all_positional && parameter.kind == ParameterKind::kPositionalOrKeyword)) {
        made.positional.push_back(std::move(value));
      } else {
        made.keywords.put(parameter.name, std::move(value));
      }
    }
    return made;
  }

  Result<Value> fields_of_request(const Operation& operation, const Bytes& request) const override {
    auto message = HECTOR_TRY(parse(of(operation).in, request));
    return value_of(*message);
  }

  Result<Bytes> reply_of(const Operation& operation, const Value& value) const override {
    return filled(of(operation).out, value, operation.name);
  }
  Result<Bytes> request_of_value(const Operation& operation, const Value& value) const override {
    return filled(of(operation).in, value, operation.name);
  }

 private:
  struct Shape {
    const pb::Message* prototype = nullptr;
    std::vector<const pb::FieldDescriptor*> fields;
    std::vector<ParameterKind> kinds;
    const pb::FieldDescriptor* untyped =
        nullptr;  ///< the last field, if it is a hector.value.v1.Untyped
  };
  struct Shapes {
    Shape in, out;
  };
  const Shapes& of(const Operation& operation) const {
    HECTOR_CHECK(operation.index < operations_.size(), "an operation of another Interface");
    return operations_[operation.index];
  }
  /// The form that Python's hints have where one of the parameters has a default
  /// (languages/python): what has none there must be given.
  static bool is_of_parameters(const pb::FieldDescriptor& field) {
    const std::string_view file = field.file()->name();
    return file.starts_with("hector/hints/") && file.ends_with(".defaults.proto");
  }
  static bool is_optional(const pb::FieldDescriptor& field) {
    if (is_of_parameters(field) && field.is_optional() && !field.has_default_value() &&
        field.real_containing_oneof() == nullptr)
      return false;
    return field.is_repeated() || field.has_optional_keyword() ||
           field.real_containing_oneof() != nullptr ||
           (field.cpp_type() == Type::CPPTYPE_MESSAGE &&
            field.message_type()->full_name() == kValueName);
  }
  static std::optional<Value> default_of(const Shape& shape, const pb::FieldDescriptor& field) {
    if (!field.has_default_value()) return std::nullopt;
    return field_value(*shape.prototype, field, 0);  // of a field that nobody has set
  }
  static std::vector<Field> described(const Shape& shape) {
    std::vector<Field> list;
    for (std::size_t i = 0; i < shape.fields.size(); ++i)
      list.push_back({std::string(shape.fields[i]->name()), python_type(*shape.fields[i]),
                      is_optional(*shape.fields[i]), shape.kinds[i],
                      default_of(shape, *shape.fields[i])});
    return list;
  }
  static Result<std::unique_ptr<pb::Message>> parse(const Shape& shape, const Bytes& bytes) {
    std::unique_ptr<pb::Message> message(shape.prototype->New());
    if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      return fail(Error::invalid_argument(
          fmt::format("the octets are not a {}", std::string(message->GetTypeName()))));
    return message;
  }
  /// What does not fit a scalar's annotation is kept beside it, where the message has a place for
  /// that.
  Status set(const Shape& shape, pb::Message& message, const pb::FieldDescriptor& field,
             const Value& value, const std::string& where) const {
    const bool may_differ = shape.untyped != nullptr && !field.is_repeated() &&
                            field.cpp_type() != Type::CPPTYPE_MESSAGE;
    if (!may_differ) return set_field(message, field, value, where, {texts_});
    if (!value.is_null() && set_field(message, field, value, where, {texts_})) return {};
    return set_untyped(shape, message, std::string(field.name()), value);
  }
  static Status set_untyped(const Shape& shape, pb::Message& message, const std::string& name,
                            const Value& value) {
    auto& fields = *message.GetReflection()->MutableMessage(&message, shape.untyped);
    auto& entry = *fields.GetReflection()->AddMessage(&fields, fields.GetDescriptor()->field(0));
    const auto* const type = entry.GetDescriptor();
    entry.GetReflection()->SetString(&entry, type->field(0), name);
    return fill_value(*entry.GetReflection()->MutableMessage(&entry, type->field(1)), value, 0);
  }
  /// Null where the field says it itself.
  static const pb::Message* untyped_value(const Shape& shape, const pb::Message& message,
                                          const std::string& name) {
    if (shape.untyped == nullptr || !message.GetReflection()->HasField(message, shape.untyped))
      return nullptr;
    const auto& fields = message.GetReflection()->GetMessage(message, shape.untyped);
    const auto* const map = fields.GetDescriptor()->field(0);
    for (int i = 0; i < fields.GetReflection()->FieldSize(fields, map); ++i) {
      const auto& entry = fields.GetReflection()->GetRepeatedMessage(fields, map, i);
      const auto* const type = entry.GetDescriptor();
      if (entry.GetReflection()->GetString(entry, type->field(0)) == name)
        return &entry.GetReflection()->GetMessage(entry, type->field(1));
    }
    return nullptr;
  }
  static const pb::Message* untyped_of(const Shape& shape, const pb::Message& message,
                                       const pb::FieldDescriptor& field) {
    return untyped_value(shape, message, std::string(field.name()));
  }
  static Value read_field(const Shape& shape, const pb::Message& message,
                          const pb::FieldDescriptor& field) {
    const auto* const untyped = untyped_of(shape, message, field);
    return untyped != nullptr ? value_message(*untyped) : whole_field(message, field);
  }
  Result<Bytes> filled(const Shape& shape, const Value& value, const std::string& where) const {
    if (shape.prototype == nullptr ||
        (shape.fields.empty() && (shape.untyped == nullptr || value.is_null())))
      return Bytes();
    const std::unique_ptr<pb::Message> message(shape.prototype->New());
    HECTOR_TRY(shape.fields.empty()       ? set_untyped(shape, *message, "value", value)
               : shape.fields.size() == 1 ? set(shape, *message, *shape.fields[0], value, where)
                                          : fill(*message, value, where, {texts_}));
    return Bytes::take(message->SerializeAsString());
  }
  static Result<Value> bare(const Shape& shape, const Bytes& bytes) {
    if (shape.prototype == nullptr || (shape.fields.empty() && shape.untyped == nullptr))
      return Value::null();
    auto message = HECTOR_TRY(parse(shape, bytes));
    if (shape.fields.empty()) {
      const auto* const untyped = untyped_value(shape, *message, "value");
      return untyped == nullptr ? Value::null() : value_message(*untyped);
    }
    return shape.fields.size() == 1 ? read_field(shape, *message, *shape.fields[0])
                                    : value_of(*message);
  }

  pb::DescriptorPool pool_;
  mutable pb::DynamicMessageFactory factory_;
  const BytesText texts_;
  std::vector<Shapes> operations_;
};

}  // namespace

Result<std::unique_ptr<const MessageCodec>> MessageCodec::of(const Interface& interface,
                                                             BytesText texts) {
  auto made = std::make_unique<Codec>(texts);
  HECTOR_TRY(made->read(interface));
  return std::unique_ptr<const MessageCodec>(std::move(made));
}

}  // namespace hector::objects
