#include "types/authoring/versions.h"

#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>

#include <map>
#include <sstream>

#include "types/check/conformance.h"
#include "types/check/upgrade.h"
#include "types/order/expression.h"

namespace hector::types {

namespace pb = google::protobuf;
using hector::type::v1::Binding;
using hector::type::v1::Interface;

namespace {

/// By name, the highest major of each.
template <class Type, class List>
std::map<std::string, const Type*> latest(const List& types) {
  std::map<std::string, const Type*> found;
  for (const Type& type : types) {
    auto& at = found[type.name()];
    if (at == nullptr || at->major() < type.major()) at = &type;
  }
  return found;
}

/// The differences between two versions of one type, a line each.
template <class Type>
void compare_versions(const std::string& name, Type a, Type b, std::vector<std::string>& lines) {
  for (Type* each : {&a, &b}) {
    if constexpr (std::is_same_v<Type, Interface>) each->clear_descriptors();
  }
  if (a.has_protocol() && b.has_protocol() &&
      a.protocol().SerializeAsString() != b.protocol().SerializeAsString()) {
    lines.push_back(fmt::format("{}: protocol: {} -> {}", name, print_expression(a.protocol()),
                                print_expression(b.protocol())));
    b.mutable_protocol()->CopyFrom(a.protocol());
  }
  pb::util::MessageDifferencer differencer;
  for (const char* list : {"operations", "initiates", "roles", "interactions"}) {
    const auto* field = Type::descriptor()->FindFieldByName(list);
    if (field != nullptr)
      differencer.TreatAsMap(field, field->message_type()->FindFieldByName("name"));
  }
  std::string report;
  differencer.ReportDifferencesToString(&report);
  differencer.Compare(a, b);
  std::istringstream in(report);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("moved: "))
      lines.push_back(fmt::format("{}: {}", name, line));  // their order says nothing
  }
}

template <class Type>
void compare(const std::map<std::string, const Type*>& older,
             const std::map<std::string, const Type*>& newer, std::vector<std::string>& lines) {
  for (const auto& [name, type] : newer) {
    if (!older.contains(name)) lines.push_back(fmt::format("{}: added", name));
  }
  for (const auto& [name, before] : older) {
    const auto found = newer.find(name);
    if (found == newer.end()) {
      lines.push_back(fmt::format("{}: removed", name));
      continue;
    }
    compare_versions(name, *before, *found->second, lines);
  }
}

}  // namespace

std::vector<std::string> differences(const TypeFile& older, const TypeFile& newer) {
  std::vector<std::string> lines;
  compare(latest<Interface>(older.interfaces), latest<Interface>(newer.interfaces), lines);
  compare(latest<Binding>(older.bindings), latest<Binding>(newer.bindings), lines);
  return lines;
}

Result<std::vector<Finding>> breaking_changes(const TypeFile& older, const TypeFile& newer) {
  std::vector<Finding> findings;
  const auto interfaces = latest<Interface>(newer.interfaces);
  for (const auto& [name, before] : latest<Interface>(older.interfaces)) {
    const auto found = interfaces.find(name);
    if (found == interfaces.end()) {
      findings.push_back({"removed", fmt::format("{}: the Interface is gone", name), {}});
      continue;
    }
    auto a = HECTOR_TRY(CompiledInterface::make(*before));
    auto b = HECTOR_TRY(CompiledInterface::make(*found->second));
    auto conformance = check_replacement(*b, *a);
    for (auto& finding : conformance.findings)
      findings.push_back(
          {finding.rule, fmt::format("{}: {}", name, finding.text), std::move(finding.trace)});
  }
  const auto bindings = latest<Binding>(newer.bindings);
  for (const auto& [name, before] : latest<Binding>(older.bindings)) {
    const auto found = bindings.find(name);
    if (found == bindings.end())
      findings.push_back({"removed", fmt::format("{}: the Binding type is gone", name), {}});
    else
      check_upgrade(*before, *found->second, findings);
  }
  return findings;
}

}  // namespace hector::types
