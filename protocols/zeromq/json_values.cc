#include "json_values.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <boost/json.hpp>
#include <cmath>

namespace hector::zeromq {

namespace json = boost::json;

namespace {

Value value_of(const json::value& given) {
  switch (given.kind()) {
    case json::kind::null:
      return Value::null();
    case json::kind::bool_:
      return Value::of(given.as_bool());
    case json::kind::int64:
      return Value::of(std::int64_t{given.as_int64()});
    case json::kind::uint64:
      return Value::of(static_cast<double>(given.as_uint64()));
    case json::kind::double_:
      return Value::of(given.as_double());
    case json::kind::string:
      return Value::of(std::string_view(given.as_string()));
    case json::kind::array: {
      Value made = Value::list();
      for (const auto& each : given.as_array()) made.items.push_back(value_of(each));
      return made;
    }
    default:
      break;
  }
  Value made = Value::map();
  for (const auto& [key, each] : given.as_object()) made.put(std::string_view(key), value_of(each));
  return made;
}

/// The code points of UTF-8; what is none becomes U+FFFD.
void put_text(std::string_view text, std::string& out) {
  out += '"';
  const bool is_valid = objects::is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet == '"' || octet == '\\') {
      out += '\\';
      out += text[i];
    } else if (octet == '\n') {
      out += "\\n";
    } else if (octet == '\r') {
      out += "\\r";
    } else if (octet == '\t') {
      out += "\\t";
    } else if (octet >= 0x20 && octet < 0x7F) {
      out += text[i];
    } else if (octet < 0x80 || !is_valid) {
      out += fmt::format("\\u{:04x}", octet < 0x80 ? octet : 0xFFFD);
    } else {
      const int more = octet < 0xE0 ? 1 : octet < 0xF0 ? 2 : 3;
      std::uint32_t point = octet & (0x3F >> more);
      for (int k = 0; k < more; ++k)
        point = (point << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F);
      if (point < 0x10000)
        out += fmt::format("\\u{:04x}", point);
      else
        out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((point - 0x10000) >> 10),
                           0xDC00 + ((point - 0x10000) & 0x3FF));
    }
  }
  out += '"';
}
std::string base64(std::string_view octets) {
  std::string text(4 * ((octets.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(text.data()),
      reinterpret_cast<const unsigned char*>(octets.data()), static_cast<int>(octets.size()))));
  return text;
}

void put(const Value& value, std::string& out) {
  switch (value.kind) {
    case Value::Kind::kNull:
      out += "null";
      return;
    case Value::Kind::kBoolean:
      out += value.boolean ? "true" : "false";
      return;
    case Value::Kind::kInteger:
      out += std::to_string(value.integer);
      return;
    case Value::Kind::kReal:
      if (!std::isfinite(value.real))
        out += "null";
      else if (value.real == std::floor(value.real) && std::abs(value.real) < 1e16)
        out += fmt::format("{:.1f}", value.real);
      else
        out += fmt::format("{}", value.real);
      return;
    case Value::Kind::kText:
      return put_text(value.text, out);
    case Value::Kind::kOctets:
      return put_text(base64(value.text), out);
    case Value::Kind::kTagged:
      return put(value.items[0], out);
    case Value::Kind::kList:
      out += '[';
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += ", ";
        put(value.items[i], out);
      }
      out += ']';
      return;
    case Value::Kind::kMap:
      break;
  }
  out += '{';
  for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
    if (i > 0) out += ", ";
    put_text(
        value.items[i].kind == Value::Kind::kText ? value.items[i].text : value.items[i].print(),
        out);
    out += ": ";
    put(value.items[i + 1], out);
  }
  out += '}';
}

}  // namespace

Result<Value> read_json(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  const json::value parsed =
      json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error)
    return fail(Error::invalid_argument(fmt::format("malformed JSON: {}", error.message())));
  return value_of(parsed);
}
std::string json_of(const Value& value) {
  std::string out;
  put(value, out);
  return out;
}

}  // namespace hector::zeromq
