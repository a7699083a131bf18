// What: Value, what a command prints as a tree: of a message, of JSON, or put together by hand.
// Why: `-o` means the same in every command, because one tree is written as JSON, JSON lines, YAML
// or names; numbers are numbers in each.
// Who: output.cc and the files of commands.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hector {

class Value {
 public:
  enum class Kind : std::uint8_t { kPlain, kText, kList, kMap };

  /// A number, true, false or null: JSON and YAML write them alike.
  static Value plain(std::string text) { return {Kind::kPlain, std::move(text)}; }
  static Value truth(bool is_so) { return plain(is_so ? "true" : "false"); }
  static Value text(std::string text) { return {Kind::kText, std::move(text)}; }
  static Value list() { return {Kind::kList, {}}; }
  static Value map() { return {Kind::kMap, {}}; }
  static Value texts(const std::vector<std::string>& texts);

  /// Fields in the order of the message's file, by their names there. What has no value of its own
  /// is there with its default, but for messages and members of a oneof.
  static Value of(const google::protobuf::Message& message);
  /// A text that is JSON; one that is not becomes a text.
  static Value from_json(const std::string& json);

  Value& with(std::string key, Value value) {
    entries_.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  Value& with(std::string key, std::string text) {
    return with(std::move(key), Value::text(std::move(text)));
  }
  void add(Value value) { entries_.emplace_back("", std::move(value)); }

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const std::string& scalar() const { return scalar_; }
  /// Of a map with its keys, of a list with empty ones.
  [[nodiscard]] const std::vector<std::pair<std::string, Value>>& entries() const {
    return entries_;
  }

 private:
  Value(Kind kind, std::string scalar) : kind_(kind), scalar_(std::move(scalar)) {}

  Kind kind_;
  std::string scalar_;
  std::vector<std::pair<std::string, Value>> entries_;
};

/// On one line.
std::string json_line(const Value& value);
/// Over several, as people read it.
std::string json_text(const Value& value);
/// Texts stand in quotes, so that no reader takes one for something else.
std::string yaml_text(const Value& value);
/// A name a line: of each entry of a list, or of the first list in a map that has no name itself.
/// Without a name it is the first value.
std::string names_text(const Value& value);
/// A line for each entry of that list; or the one value.
std::string json_lines(const Value& value);

}  // namespace hector
