// What: how names and octets of types are written in C++.
// Why: every generator of C++ writes them in one way.
// Who: generation.cc, servant_generation.cc.
#include "types/authoring/cpp_names.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <cctype>

#include "types/authoring/words.h"

namespace hector::types {

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }
std::string cpp_name(const std::string& message) {
  std::string text = "::";
  for (const char c : message) text += c == '.' ? std::string("::") : std::string(1, c);
  return text;
}
std::string parameter_name(const std::string& message) {
  std::string text;
  for (const char c : last_part(message)) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !text.empty()) text += '_';
    text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  // What the generated functions call their other parameters, and their classes' members.
  static const std::set<std::string> kOwn{"call", "capsule_", "in",         "member",
                                          "out",  "session_", "timeout_ns", "who_"};
  return is_cpp_word(text) || kOwn.contains(text) ? text + "_" : text;
}
std::string pascal(const std::string& name) {
  std::string text;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    text += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return text;
}

Named named(const std::string& id) {
  const std::string full = id.substr(0, id.rfind('/'));
  const auto dot = full.rfind('.');
  return dot == std::string::npos ? Named{"", full}
                                  : Named{full.substr(0, dot), full.substr(dot + 1)};
}
std::string open_namespace(const std::string& package) {
  if (package.empty()) return "\n";
  const std::string text = cpp_name(package).substr(2);
  return fmt::format("\nnamespace {} {{\n\n", text);
}
std::string close_namespace(const std::string& package) {
  return package.empty() ? "\n"
                         : fmt::format("\n}}  // namespace {}\n", cpp_name(package).substr(2));
}

std::string octets_literal(const std::string& octets) {
  std::string text;
  // Octets, of up to four letters each.
  constexpr std::size_t kALine = 40;
  for (std::size_t at = 0; at < octets.size(); at += kALine) {
    text += "\n        \"";
    for (std::size_t i = at; i < std::min(at + kALine, octets.size()); ++i)
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(octets[i]));
    text += "\"";
  }
  return text.empty() ? "\"\"" : text;
}

void add_message_includes(const hector::type::v1::Interface& interface,
                          std::set<std::string>& includes, std::set<std::string>& messages) {
  google::protobuf::FileDescriptorSet files;
  files.ParseFromString(interface.descriptors());
  for (const auto& each : files.file()) {
    includes.insert(each.name().substr(0, each.name().rfind('.')) + ".pb.h");
    for (const auto& message : each.message_type())
      messages.insert((each.package().empty() ? "" : each.package() + ".") + message.name());
  }
}

}  // namespace hector::types
