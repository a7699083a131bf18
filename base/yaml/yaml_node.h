// What: YamlNode, a YAML value that knows its place in the file and refuses what it does not know.
// Why: unknown keys, wrong kinds and misspelt names get an error with file, line, column and the
// nearest right name.
// Who: the readers of types, configurations and manifests.
#pragma once

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/text/nearest.h"

namespace hector {

/// "file:line:column: what". Within readers of YAML, and nowhere else, exceptions are control flow:
/// yaml-cpp throws too, and a mistake deep in a file ends the whole reading. A reader catches both
/// and returns a Result.
struct YamlMistake {
  std::string text;
};

class YamlNode {
 public:
  /// `what` names the value in messages; `file` must outlive the node.
  YamlNode(YAML::Node node, const std::string& file, std::string what)
      : node_(std::move(node)), file_(&file), what_(std::move(what)) {}

  [[noreturn]] void refuse(const std::string& why) const { refuse_at(node_.Mark(), why); }
  /// Refuses everything but a map with these keys, each at most once.
  void only(std::initializer_list<const char*> keys) const {
    if (!node_.IsMap()) refuse(fmt::format("{} must be a map of keys to values", what_));
    std::vector<std::string> known(keys.begin(), keys.end());
    std::set<std::string> seen;
    for (const auto& pair : node_) {
      const auto key = pair.first.Scalar();
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        refuse_at(pair.first.Mark(),
                  fmt::format("unknown key '{}' in {}{}; known are {}", key, what_,
                              nearest_hint(key, known), fmt::join(known, ", ")));
      }
      if (!seen.insert(key).second)
        refuse_at(pair.first.Mark(), fmt::format("key '{}' stands twice in {}", key, what_));
    }
  }
  [[nodiscard]] bool has(const char* key) const { return node_.IsMap() && node_[key].IsDefined(); }
  [[nodiscard]] YamlNode at(const char* key) const {
    return {node_[key], *file_, fmt::format("'{}' of {}", key, what_)};
  }
  /// A value inside this one.
  [[nodiscard]] YamlNode inner(YAML::Node node, std::string what) const {
    return {std::move(node), *file_, std::move(what)};
  }
  [[nodiscard]] std::string text() const {
    if (node_.IsNull())
      refuse(
          fmt::format("{} has no value (null, NULL and ~ are nothing in YAML; as a text they "
                      "stand in quotes)",
                      what_));
    if (!node_.IsScalar()) refuse(fmt::format("{} must be a single value", what_));
    return node_.Scalar();
  }
  [[nodiscard]] std::string text_or(const char* key, std::string otherwise) const {
    return has(key) ? at(key).text() : otherwise;
  }
  /// `expected` as in "a number of octets".
  template <class T>
  [[nodiscard]] T number(const char* expected) const {
    const auto wrong = [&]() {
      refuse(fmt::format("{} must be {}, not '{}'", what_, expected,
                         node_.IsScalar() ? node_.Scalar() : "a collection"));
    };
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      T value{};
      if (!node_.IsScalar() || !read_integer(node_.Scalar(), value)) wrong();
      return value;
    } else {
      try {
        return node_.as<T>();
      } catch (const YAML::Exception&) {
        wrong();
        throw;  // not reached
      }
    }
  }
  [[nodiscard]] bool truth() const { return number<bool>("true or false"); }
  [[nodiscard]] std::vector<std::string> texts() const {
    if (!node_.IsSequence()) refuse(fmt::format("{} must be a list, as in [a, b]", what_));
    std::vector<std::string> list;
    for (const auto& item : node_)
      list.push_back(YamlNode(item, *file_, "an entry of " + what_).text());
    return list;
  }
  /// Calls take(name, value, name's node) for each pair.
  template <class Take>
  void each(const char* of, Take take) const {
    if (!node_.IsMap()) refuse(fmt::format("{} must be a map of keys to values", what_));
    std::set<std::string> seen;
    for (const auto& pair : node_) {
      const std::string key = pair.first.Scalar();
      const YamlNode name(pair.first, *file_, of);
      if (!seen.insert(key).second) name.refuse(fmt::format("{} '{}' stands twice", of, key));
      take(key, YamlNode(pair.second, *file_, fmt::format("{} '{}'", of, key)), name);
    }
  }
  [[nodiscard]] int line() const { return node_.Mark().line + 1; }
  [[nodiscard]] int column() const { return node_.Mark().column + 1; }
  [[nodiscard]] const YAML::Node& raw() const { return node_; }
  [[nodiscard]] const std::string& what() const { return what_; }

 private:
  /// By YAML 1.2: "010" is ten, "0o10" and "0x8" are eight. (yaml-cpp reads "010" as octal.)
  template <class T>
  static bool read_integer(std::string_view text, T& value) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0o")) {
      base = text[1] == 'x' ? 16 : 8;
      text.remove_prefix(2);
    } else if (text.starts_with('+')) {
      text.remove_prefix(1);
    }
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc() && at == end;
  }
  [[noreturn]] void refuse_at(const YAML::Mark& mark, const std::string& why) const {
    throw YamlMistake{fmt::format("{}:{}:{}: {}", *file_, mark.line + 1, mark.column + 1, why)};
  }
  YAML::Node node_;
  const std::string* file_;
  std::string what_;
};

}  // namespace hector
