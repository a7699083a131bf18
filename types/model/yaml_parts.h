// What: the parts of type documents that several kinds of them share: ids, names, kinds, QoS,
// expressions, interactions.
// Why: an interaction is written in the same way in a Binding type and in a custom Interaction
// type.
// Who: the readers of type files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/yaml/yaml_node.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// Larger than any type that people wrote so far; the checks of a Binding type have limits of their
/// own.
inline constexpr std::size_t kRolesMax = 256;
/// Of one Interface, or interactions of one type.
inline constexpr std::size_t kOperationsMax = 1'000;

// Each of these throws YamlMistake with the place and the nearest right name.

/// "diary.Calendar/1" as name and major.
std::pair<std::string, std::uint32_t> read_id(const YamlNode& node);
/// Name, major and description of a type document whose id stands at `key`.
template <class Type>
void read_head(const YamlNode& node, const char* key, Type& type) {
  auto [name, major] = read_id(node.at(key));
  type.set_name(name);
  type.set_major(major);
  type.set_description(node.text_or("description", ""));
}
/// `name` may stand in a protocol expression.
void check_name(const std::string& name, const YamlNode& at);
/// An operation may be called like a word of protocol expressions where none names it: other
/// people's .proto files have such.
void check_operation_name(const std::string& name, const YamlNode& at);

/// A pattern's interactions may leave out their operation: it has the interaction's name then.
enum class InteractionForm { kOfABinding, kOfAPattern };
enum class KindOf { kOperation, kInteraction };
hector::type::v1::Kind read_kind(const YamlNode& node, KindOf of);
void read_qos(const YamlNode& node, hector::type::v1::Qos& qos);
hector::type::v1::Expression read_expression(const YamlNode& node);
/// Every symbol of the expression is one of `symbols`, every role and chooser one of `roles`;
/// `roles` is null for an Interface, whose protocol names none.
void check_names(const hector::type::v1::Expression& expression, const YamlNode& at,
                 const std::vector<std::string>& symbols, const std::vector<std::string>* roles);
/// A role's name and how many members it has.
void read_members(const std::string& name, const YamlNode& node, hector::type::v1::Role& role);
void read_interaction(const std::string& name, const YamlNode& node, const YamlNode& at,
                      const std::vector<std::string>& roles, InteractionForm form,
                      hector::type::v1::Interaction& interaction);
/// Whether the interaction is of a custom Interaction type.
bool is_custom(const YamlNode& node);
using Pairs = google::protobuf::RepeatedPtrField<hector::type::v1::InteractionType::Parameter>;
/// The map at `key`, if there is one.
void read_pairs(const YamlNode& node, const char* key, Pairs& pairs);
/// An interaction of a custom Interaction type.
hector::type::v1::InteractionType::Use read_use(const std::string& name, const YamlNode& node,
                                                const YamlNode& at);

}  // namespace hector::types
