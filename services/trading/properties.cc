#include "properties.h"

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "hector/check.h"

namespace hector::trading {

namespace {

constexpr std::size_t kValueOctetsMax = 64 * 1024;  ///< of one property

/// Numbers keep their kind: 3 is an integer, 3.0 a real.
std::optional<Value> number_of(std::string_view text) {
  std::int64_t integer = 0;
  const char* const end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, integer);
      read.ec == std::errc() && read.ptr == end)
    return Value::of(integer);
  double real = 0;
  if (const auto read = std::from_chars(text.data(), end, real);
      read.ec == std::errc() && read.ptr == end && std::isfinite(real))
    return Value::of(real);
  return std::nullopt;
}

/// What a JSON text says, with texts unescaped into `texts`. False: it is no JSON of ours.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}
  bool read(std::vector<Value>& items, std::vector<std::string>& texts, bool& is_list) {
    skip();
    is_list = at_ < text_.size() && text_[at_] == '[';
    if (!is_list) return scalar(items, texts) && at_end();
    ++at_;
    skip();
    if (at_ < text_.size() && text_[at_] == ']') return ++at_, at_end();
    for (;;) {
      if (!scalar(items, texts)) return false;
      skip();
      if (at_ >= text_.size()) return false;
      if (text_[at_] == ']') return ++at_, at_end();
      if (text_[at_++] != ',') return false;
      skip();
    }
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr) ++at_;
  }
  bool at_end() {
    skip();
    return at_ == text_.size();
  }
  bool scalar(std::vector<Value>& items, std::vector<std::string>& texts) {
    if (at_ < text_.size() && text_[at_] == '"') return quoted(items, texts);
    const std::size_t end = std::min(text_.find_first_of(",] \t\r\n", at_), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    if (word == "true" || word == "false") return items.push_back(Value::of(word == "true")), true;
    const auto number = number_of(word);
    if (number) items.push_back(*number);
    return number.has_value();
  }
  bool quoted(std::vector<Value>& items, std::vector<std::string>& texts) {
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return false;
    ++at_;
    const std::string_view plain = text_.substr(start + 1, at_ - start - 2);
    if (std::none_of(plain.begin(), plain.end(),
                     [](unsigned char c) { return c == '\\' || c < 0x20 || c >= 0x80; })) {
      texts.emplace_back(plain);
      items.push_back(text_at(texts.size() - 1));
      return true;
    }
    google::protobuf::Value read;  // JSON's escapes are read by who knows them
    if (!google::protobuf::util::JsonStringToMessage(std::string(text_.substr(start, at_ - start)),
                                                     &read)
             .ok())
      return false;
    texts.push_back(read.string_value());
    items.push_back(text_at(texts.size() - 1));
    return true;
  }
  /// For now: which of the texts.
  static Value text_at(std::size_t index) {
    Value value;
    value.kind = expression::Kind::kText;
    value.size = static_cast<std::uint32_t>(index);
    return value;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

struct Read {
  std::vector<Value> items;
  bool is_list = false;
};

}  // namespace

Result<Properties> Properties::of(const google::protobuf::Map<std::string, std::string>& values,
                                  Names& names) {
  std::vector<std::pair<NameId, Read>> all;
  std::vector<std::string> texts;
  std::size_t octets = 0, items = 0;
  for (const auto& [name, json] : values) {
    Read read;
    if (json.size() > kValueOctetsMax || !JsonReader(json).read(read.items, texts, read.is_list)) {
      return fail(Error::invalid_argument(
                      fmt::format("PropertyTypeMismatch: '{}' is {}: a value is a JSON string, "
                                  "number, boolean or a list of those, of up to 64 KiB",
                                  name, json.substr(0, 100)))
                      .with_type("PropertyTypeMismatch"));
    }
    if (read.is_list) items += read.items.size();
    all.emplace_back(names.of(name), std::move(read));
  }
  for (const auto& text : texts) octets += text.size();
  Properties made;
  made.memory_ = std::make_unique<char[]>(items * sizeof(Value) + octets);
  auto* next_item = reinterpret_cast<Value*>(made.memory_.get());
  char* next_text = made.memory_.get() + items * sizeof(Value);
  const auto placed = [&](Value value) {
    if (value.kind != expression::Kind::kText) return value;
    HECTOR_CHECK(value.size < texts.size(), "a value has a text that was not read");
    const std::string& text = texts[value.size];
    std::memcpy(next_text, text.data(), text.size());
    value = Value::of(std::string_view(next_text, text.size()));
    next_text += text.size();
    return value;
  };
  made.values_.reserve(all.size());
  for (const auto& [name, read] : all) {
    if (!read.is_list) {
      made.values_.push_back({name, placed(read.items[0])});
      continue;
    }
    Value* const first = next_item;
    for (const auto& item : read.items) *next_item++ = placed(item);
    made.values_.push_back({name, Value::of(first, read.items.size())});
  }
  HECTOR_CHECK(reinterpret_cast<char*>(next_item) == made.memory_.get() + items * sizeof(Value) &&
                   next_text == made.memory_.get() + items * sizeof(Value) + octets,
               "an offer's values take other memory than was counted");
  return made;
}

Declared declared_of(std::string_view type) {
  using expression::Kind;
  if (type == "boolean") return {Kind::kBoolean, {}};
  for (const char* each :
       {"short", "unsigned short", "long", "unsigned long", "long long", "unsigned long long"}) {
    if (type == each) return {Kind::kInteger, {}};
  }
  if (type == "float" || type == "double") return {Kind::kReal, {}};
  if (type == "string" || type == "char") return {Kind::kText, {}};
  if (type.starts_with("sequence<") && type.ends_with(">"))
    return {Kind::kList, declared_of(type.substr(9, type.size() - 10)).kind};
  return {};
}
bool is_property_type(std::string_view type) {
  return declared_of(type).kind != expression::Kind::kUndefined;
}

bool fits(const Value& value, std::string_view type) {
  using expression::Kind;
  const Declared declared = declared_of(type);
  if (declared.kind == Kind::kReal) return value.is_number();
  if (value.kind != declared.kind) return false;
  if (value.kind == Kind::kList) {
    const std::string_view item = type.substr(9, type.size() - 10);
    return std::all_of(value.items, value.items + value.size,
                       [&](const Value& each) { return fits(each, item); });
  }
  if (type == "char") return value.size == 1;
  if (value.kind != Kind::kInteger) return true;
  if (type == "short") return value.integer >= INT16_MIN && value.integer <= INT16_MAX;
  if (type == "unsigned short") return value.integer >= 0 && value.integer <= UINT16_MAX;
  if (type == "long") return value.integer >= INT32_MIN && value.integer <= INT32_MAX;
  if (type == "unsigned long") return value.integer >= 0 && value.integer <= UINT32_MAX;
  return type == "long long" || value.integer >= 0;
}

}  // namespace hector::trading
