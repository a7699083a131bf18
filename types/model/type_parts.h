// What: what the documents of a type file have in common: names, ids, roles, interactions,
// protocols, and where one document ends.
// Why: Interfaces, Binding types and custom Interaction types are read of the same parts, and each
// mistake in one is told in the same words.
// Who: reader.cc, interaction_reader.cc.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/yaml/yaml_node.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

inline constexpr std::size_t kRolesMax = 256;
inline constexpr std::size_t kOperationsMax = 1'000;

}  // namespace hector::types

/// All of them throw YamlMistake, with the place.
namespace hector::types::parts {

/// name/major, as in diary.Calendar/1.
std::pair<std::string, std::uint32_t> read_id(const YamlNode& node);
void check_name(const std::string& name, const YamlNode& at);
enum class KindOf { kOperation, kInteraction };
hector::type::v1::Kind read_kind(const YamlNode& node, KindOf of);
void read_qos(const YamlNode& node, hector::type::v1::Qos& qos);
hector::type::v1::Expression read_expression(const YamlNode& node);
/// Every symbol, role and chooser of an expression exists. Without `roles` it is an Interface's.
void check_names(const hector::type::v1::Expression& expression, const YamlNode& at,
                 const std::vector<std::string>& symbols, const std::vector<std::string>* roles);
void read_members(const std::string& name, const YamlNode& node, hector::type::v1::Role& role);

/// A pattern's interactions are operations of their own name where it says nothing else.
enum class InteractionForm { kOfABinding, kOfAPattern };
void read_interaction(const std::string& name, const YamlNode& node, const YamlNode& at,
                      const std::vector<std::string>& roles, InteractionForm form,
                      hector::type::v1::Interaction& interaction);
/// Whether its kind is a custom Interaction type.
bool is_custom(const YamlNode& node);
void read_pairs(
    const YamlNode& node, const char* key,
    google::protobuf::RepeatedPtrField<hector::type::v1::InteractionType::Parameter>& pairs);
hector::type::v1::InteractionType::Use read_use(const std::string& name, const YamlNode& node,
                                                const YamlNode& at);

/// Each document alone, behind as many empty lines as came before it, so that places stay right.
/// yaml-cpp 0.7's LoadAll never ends on some malformed files (found by fuzzing); Load reads one
/// document.
std::vector<std::string> split_documents(std::string_view yaml);
/// YAML reserves '@' at the beginning of a value, and protocol expressions begin with it: such a
/// one is put in quotes here, with the lines that continue it, so that people need not.
std::string quote_choosers(const std::string& text);

}  // namespace hector::types::parts
