#include "types/model/interaction_type_reader.h"

#include "types/model/yaml_documents.h"
#include "types/model/yaml_parts.h"

namespace hector::types {

using namespace hector::type::v1;

InteractionType read_interaction_type(const YamlNode& node) {
  node.only({"interaction", "description", "parameters", "roles", "interactions", "protocol"});
  InteractionType type;
  read_head(node, "interaction", type);
  read_pairs(node, "parameters", *type.mutable_parameters());
  std::vector<std::string> roles;
  for (const char* section : {"roles", "interactions", "protocol"}) {
    if (!node.has(section)) node.refuse(fmt::format("an Interaction type needs {}", section));
  }
  node.at("roles").each("role",
                        [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
                          roles.push_back(key);
                          if (roles.size() > kRolesMax)
                            at.refuse(fmt::format("more than {} roles", kRolesMax));
                          check_name(key, at);
                          if (!value.raw().IsNull()) value.only({"cardinality"});
                          read_members(key, value, *type.add_roles());
                        });
  node.at("interactions")
      .each("interaction", [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
        auto* inner = type.add_interactions();
        if (type.interactions_size() > static_cast<int>(kOperationsMax))
          at.refuse(fmt::format("more than {} interactions", kOperationsMax));
        if (is_custom(value)) {
          inner->mutable_interaction()->set_name(key);
          *inner->mutable_use() = read_use(key, value, at);
        } else {
          read_interaction(key, value, at, roles, InteractionForm::kOfAPattern,
                           *inner->mutable_interaction());
        }
      });
  type.set_protocol(node.at("protocol").text());
  return type;
}

std::vector<InteractionType> read_interaction_types(std::string_view yaml,
                                                    const std::string& name) {
  std::vector<InteractionType> types;
  for (const std::string& text : split_documents(yaml)) {
    if (!text.starts_with("interaction:") && text.find("\ninteraction:") == std::string::npos)
      continue;
    try {
      const YamlNode node(load_document(text, name), name, "the document");
      if (node.has("interaction")) types.push_back(read_interaction_type(node));
    } catch (const YamlMistake&) {  // reported when the whole document is read
    } catch (const YAML::Exception&) {
    }
  }
  return types;
}

}  // namespace hector::types
