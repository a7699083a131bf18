#include "json_values.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <memory>
#include <optional>
#include <unordered_map>

#include "hector/check.h"

namespace hector::zeromq {

namespace json = boost::json;

namespace {

/// As many digits as Python's int() takes: more cost time quadratic in their number.
constexpr std::size_t kDigitsMax = 4'300;

using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

/// An integer of any size, exactly.
std::optional<Value> integer_of(std::string_view digits) {
  const bool is_negative = digits.starts_with('-');
  const std::size_t count = digits.size() - (is_negative ? 1 : 0);
  if (count > kDigitsMax) return std::nullopt;
  BIGNUM* parsed = nullptr;
  const int used = BN_dec2bn(&parsed, std::string(digits).c_str());
  const Number number(parsed, BN_free);
  if (static_cast<std::size_t>(used) != digits.size()) return std::nullopt;
  if (is_negative) BN_add_word(number.get(), 1);  // the octets are those of -1 - n
  std::string octets(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(octets.data()));
  return Value::tagged(is_negative ? objects::kNegativeBignum : objects::kPositiveBignum,
                       Value::octets(octets));
}

std::string digits_of(const Value& bignum) {
  HECTOR_CHECK(objects::is_bignum(bignum), "a value that is no big number is printed as one");
  const std::string& octets = bignum.items[0].text;
  const Number number(BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()),
                                static_cast<int>(octets.size()), nullptr),
                      BN_free);
  if (bignum.tag == objects::kNegativeBignum) {
    BN_add_word(number.get(), 1);
    BN_set_negative(number.get(), 1);
  }
  char* const text = BN_bn2dec(number.get());
  std::string made(text);
  OPENSSL_free(text);
  return made;
}

/// In the place of the first one, as Python has it.
void keep_last_of_each_name(Value& map) {
  if (map.items.size() <= 2) return;
  std::unordered_map<std::string, std::size_t> places;
  std::vector<Value> kept;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const auto [found, is_new] = places.emplace(map.items[i].text, kept.size() + 1);
    if (!is_new) {
      kept[found->second] = std::move(map.items[i + 1]);
      continue;
    }
    kept.push_back(std::move(map.items[i]));
    kept.push_back(std::move(map.items[i + 1]));
  }
  map.items = std::move(kept);
}

/// Boost.JSON's parser calls it for each token. Its own values keep no integer beyond 64 bits.
class Builder {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX,
                               max_key_size = SIZE_MAX, max_string_size = SIZE_MAX;
  using Code = boost::system::error_code;
  using View = json::string_view;

  Value take() { return std::move(root_); }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return open(Value::map()); }
  bool on_object_end(std::size_t, Code&) { return close(); }
  bool on_array_begin(Code&) { return open(Value::list()); }
  bool on_array_end(std::size_t, Code&) { return close(); }
  bool on_key_part(View part, std::size_t, Code&) { return more(part); }
  bool on_key(View part, std::size_t, Code&) {
    more(part);
    key_ = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(View part, std::size_t, Code&) { return more(part); }
  bool on_string(View part, std::size_t, Code&) {
    more(part);
    return put(Value::of(std::string_view(std::exchange(text_, {}))));
  }
  bool on_number_part(View part, Code&) { return more(part); }
  bool on_int64(std::int64_t number, View, Code&) {
    text_.clear();
    return put(Value::of(number));
  }
  bool on_uint64(std::uint64_t number, View, Code&) {
    text_.clear();
    return put(Value::of_unsigned(number));
  }
  bool on_double(double number, View part, Code& error) {
    more(part);
    const std::string written = std::exchange(text_, {});
    if (written.find_first_of(".eE") != std::string::npos) return put(Value::of(number));
    auto integer = integer_of(written);
    if (!integer) error = json::error::not_number;
    return integer && put(std::move(*integer));
  }
  bool on_bool(bool value, Code&) { return put(Value::of(value)); }
  bool on_null(Code&) { return put(Value::null()); }
  bool on_comment_part(View, Code&) { return true; }
  bool on_comment(View, Code&) { return true; }

 private:
  bool more(View part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool put(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Value& holder = open_.back();
    if (holder.is(Value::Kind::kList))
      holder.items.push_back(std::move(value));
    else
      holder.put(key_, std::move(value));
    return true;
  }
  bool open(Value value) {
    keys_.push_back(std::move(key_));
    open_.push_back(std::move(value));
    return true;
  }
  bool close() {
    HECTOR_CHECK(!open_.empty() && keys_.size() == open_.size(),
                 "the parser closes what is closed");
    Value whole = std::move(open_.back());
    open_.pop_back();
    if (whole.is(Value::Kind::kMap)) keep_last_of_each_name(whole);
    key_ = std::move(keys_.back());
    keys_.pop_back();
    return put(std::move(whole));
  }
  Value root_;
  std::vector<Value> open_;
  std::vector<std::string> keys_;  ///< under which each of `open_` will be put
  std::string key_, text_;
};

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
      if (!objects::is_bignum(value)) return put(value.items[0], out);
      out += digits_of(value);
      return;
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
  json::basic_parser<Builder> parser(options);
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    error = json::error::extra_data;
  if (error)
    return fail(Error::invalid_argument(fmt::format("malformed JSON: {}", error.message())));
  return parser.handler().take();
}
std::string json_of(const Value& value) {
  std::string out;
  put(value, out);
  return out;
}

}  // namespace hector::zeromq
