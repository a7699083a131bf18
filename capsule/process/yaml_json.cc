#include "process/yaml_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <regex>
#include <set>

#include "base/text/quoted.h"

namespace hector {

namespace {

constexpr std::string_view kTags = "tag:yaml.org,2002:";  ///< what YAML's own types begin with

bool matches(const std::string& text, const char* expression) {
  return std::regex_match(text, std::regex(expression));
}

/// "0x…" or "0o…" in decimal digits; nothing if it is neither, or beyond 64 bits.
std::optional<std::string> from_other_base(const std::string& text) {
  const bool is_hexadecimal = matches(text, "0x[0-9a-fA-F]+");
  if (!is_hexadecimal && !matches(text, "0o[0-7]+")) return std::nullopt;
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + 2, end, value, is_hexadecimal ? 16 : 8);
  if (error != std::errc() || at != end) return std::nullopt;
  return std::to_string(value);
}

/// Decimal digits as JSON has them: no '+', no zeros before another digit.
std::string plain_digits(const std::string& text) {
  const bool is_negative = text[0] == '-';
  const auto digits = std::min(text.find_first_not_of("+-0"), text.size() - 1);
  return (is_negative ? "-" : "") + text.substr(digits);
}

std::optional<std::string> integer(const std::string& text) {
  if (matches(text, "[-+]?[0-9]+")) return plain_digits(text);
  return from_other_base(text);
}

/// YAML's ".5" and "5." are JSON's 0.5 and 5.0.
std::optional<std::string> real(const std::string& text) {
  std::smatch parts;
  static const std::regex form("([-+]?)([0-9]*)(\\.([0-9]*))?([eE][-+]?[0-9]+)?");
  if (!std::regex_match(text, parts, form) || parts[2].length() + parts[4].length() == 0)
    return std::nullopt;
  const std::string whole = parts[2].length() == 0 ? "0" : plain_digits(parts[2]);
  const std::string fraction = !parts[3].matched        ? ""
                               : parts[4].length() == 0 ? ".0"
                                                        : "." + parts[4].str();
  return (parts[1] == "-" ? "-" : "") + whole + fraction + parts[5].str();
}

std::optional<std::string> truth(const std::string& text) {
  if (matches(text, "true|True|TRUE")) return "true";
  if (matches(text, "false|False|FALSE")) return "false";
  return std::nullopt;
}

bool is_null(const std::string& text) { return matches(text, "|~|null|Null|NULL"); }

/// A scalar without a tag.
std::string plain(const YamlNode& node, const std::string& text) {
  if (is_null(text)) return "null";
  if (auto value = truth(text)) return *value;
  if (auto value = integer(text)) return *value;
  if (auto value = real(text)) return *value;
  if (matches(text, "0x[0-9a-fA-F]+|0o[0-7]+"))
    node.refuse(
        fmt::format("{} is beyond 64 bits: '{}'; write it in decimal digits, or in quotes "
                    "as a text",
                    node.what(), text));
  if (matches(text, "[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)"))
    node.refuse(fmt::format("{} becomes JSON, which has no '{}'; in quotes it is a text",
                            node.what(), text));
  return json_quoted(text);
}

/// A scalar that says its type.
std::string tagged(const YamlNode& node, const std::string& tag, const std::string& text) {
  const std::string type = tag.starts_with(kTags) ? tag.substr(kTags.size()) : tag;
  const auto value_or_refuse = [&](const std::optional<std::string>& value) {
    if (!value) node.refuse(fmt::format("'{}' is no !!{}", text, type));
    return *value;
  };
  if (type == "str") return json_quoted(text);
  if (type == "int") return value_or_refuse(integer(text));
  if (type == "float") return value_or_refuse(real(text));
  if (type == "bool") return value_or_refuse(truth(text));
  if (type == "null")
    return value_or_refuse(is_null(text) ? std::optional<std::string>("null") : std::nullopt);
  node.refuse(
      fmt::format("the tag '{}' means nothing here; known are !!str, !!int, !!float, "
                  "!!bool, !!null, !!seq and !!map",
                  tag));
}

class Writer {
 public:
  explicit Writer(const YamlNode& top) : top_(top) {}

  std::string write() {
    value(top_, 0);
    return std::move(out_);
  }

 private:
  void value(const YamlNode& node, std::size_t depth) {
    if (depth > kJsonDepthMax)
      node.refuse(fmt::format("more than {} maps and lists inside each other", kJsonDepthMax));
    if (out_.size() > kJsonOctetsMax)
      top_.refuse(fmt::format("{} becomes more than {} octets", top_.what(), kJsonOctetsMax));
    const YAML::Node& raw = node.raw();
    const std::string& tag = raw.Tag();
    if (raw.IsMap()) return map(node, depth);
    if (raw.IsSequence()) return list(node, depth);
    if (!raw.IsDefined() || raw.IsNull()) {
      out_ += "null";
    } else if (tag == "!") {  // in quotes, or a block
      out_ += json_quoted(raw.Scalar());
    } else {
      out_ +=
          tag == "?" || tag.empty() ? plain(node, raw.Scalar()) : tagged(node, tag, raw.Scalar());
    }
  }
  static void check_collection(const YamlNode& node, const char* type) {
    const std::string& tag = node.raw().Tag();
    if (!tag.empty() && tag != "?" && tag != "!" && tag != std::string(kTags) + type)
      node.refuse(fmt::format("the tag '{}' means nothing here; a map or a list needs none", tag));
  }
  void list(const YamlNode& node, std::size_t depth) {
    check_collection(node, "seq");
    out_ += '[';
    bool is_first = true;
    for (const auto& item : node.raw()) {
      if (!std::exchange(is_first, false)) out_ += ',';
      value(node.inner(item, "an entry of " + top_.what()), depth + 1);
    }
    out_ += ']';
  }
  void map(const YamlNode& node, std::size_t depth) {
    check_collection(node, "map");
    out_ += '{';
    std::set<std::string> seen;
    for (const auto& pair : node.raw()) {
      const auto key = node.inner(pair.first, "a key of " + top_.what());
      const std::string name = key.text();
      if (name == "<<" && pair.first.Tag() != "!")
        key.refuse("'<<' merges nothing: YAML 1.2 has no merge keys; write the keys out");
      if (!seen.insert(name).second) key.refuse(fmt::format("key '{}' stands twice", name));
      if (seen.size() > 1) out_ += ',';
      out_ += json_quoted(name) + ":";
      value(node.inner(pair.second, fmt::format("'{}' of {}", name, top_.what())), depth + 1);
    }
    out_ += '}';
  }

  const YamlNode& top_;
  std::string out_;
};

}  // namespace

std::string json_of(const YamlNode& node) { return Writer(node).write(); }

}  // namespace hector
