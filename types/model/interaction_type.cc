#include "types/model/interaction_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/text/nearest.h"
#include "hector/check.h"
#include "types/model/interaction_type_reader.h"
#include "types/model/standard_types.h"
#include "types/order/expression.h"
#include "types/order/projection.h"

namespace hector::types {

using namespace hector::type::v1;

namespace {

using Names = std::map<std::string, std::string>;
using Pairs = google::protobuf::RepeatedPtrField<InteractionType::Parameter>;

Names as_map(const Pairs& pairs) {
  Names map;
  for (const auto& pair : pairs) map[pair.name()] = pair.value();
  return map;
}

/// Keys of `given` that are none of `known`, as a mistake.
std::string unknown_key(const Pairs& given, const std::vector<std::string>& known,
                        const std::string& what, const std::string& type) {
  for (const auto& pair : given) {
    if (std::find(known.begin(), known.end(), pair.name()) != known.end()) continue;
    return fmt::format("{} has no {} '{}'{}; it has {}", type, what, pair.name(),
                       nearest_hint(pair.name(), known),
                       known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")));
  }
  return {};
}

void rename(Expression& expression, const std::function<void(Expression&)>& each) {
  each(expression);
  const auto list = [&](Expression::List& parts) {
    for (auto& part : *parts.mutable_of()) rename(part, each);
  };
  switch (expression.form_case()) {
    case Expression::kSequence:
      return list(*expression.mutable_sequence());
    case Expression::kInterleaving:
      return list(*expression.mutable_interleaving());
    case Expression::kChoice:
      return list(*expression.mutable_choice());
    case Expression::kRepeat:
      return rename(*expression.mutable_repeat()->mutable_of(), each);
    case Expression::kBefore:
      return rename(*expression.mutable_before()->mutable_of(), each);
    case Expression::kChosen:
      return rename(*expression.mutable_chosen()->mutable_of(), each);
    default:
      return;
  }
}

/// Expands one use; `within` are the types whose expansion it is part of.
class Expander {
 public:
  Expander(const InteractionTypeLookup& known, std::vector<std::string> within)
      : known_(known), within_(std::move(within)) {}

  std::string run(const std::string& name, const InteractionType::Use& use,
                  const google::protobuf::RepeatedPtrField<Role>& roles, Expansion& expansion) {
    const InteractionType* const type = find(use.type());
    if (type == nullptr) return unknown_type(use.type());
    if (within_.size() >= kInteractionDepthMax)
      return fmt::format("custom Interaction types stand more than {} deep in one another",
                         kInteractionDepthMax);
    if (std::find(within_.begin(), within_.end(), use.type()) != within_.end())
      return fmt::format("{} stands in itself", use.type());
    within_.push_back(use.type());
    if (auto mistake = match_roles(*type, use, roles); !mistake.empty()) return mistake;
    std::vector<std::string> names, parameters;
    for (const auto& inner : type->interactions())
      names.push_back(inner.has_interaction() ? inner.interaction().name() : "");
    for (const auto& parameter : type->parameters()) parameters.push_back(parameter.name());
    if (auto mistake = unknown_key(use.operations(), names, "interaction", use.type());
        !mistake.empty())
      return mistake;
    if (auto mistake = unknown_key(use.with(), parameters, "parameter", use.type());
        !mistake.empty())
      return mistake;
    std::map<std::string, Expansion> uses;
    if (auto mistake = inner(name, *type, use, roles, expansion, uses); !mistake.empty())
      return mistake;
    return protocol(name, *type, use, expansion, uses);
  }

 private:
  const InteractionType* find(const std::string& id) const {
    if (known_) {
      if (const auto* found = known_(id)) return found;
    }
    const auto& standard = standard_interaction_types();
    const auto found = standard.find(id);
    return found == standard.end() ? nullptr : &found->second;
  }
  static std::string unknown_type(const std::string& id) {
    std::vector<std::string> names;
    for (const auto& [each, type] : standard_interaction_types()) names.push_back(each);
    return fmt::format(
        "unknown Interaction type '{}'{}; it may stand in this file, in one that was loaded "
        "before, or be one of {}",
        id, nearest_hint(id, names), fmt::join(names, ", "));
  }

  std::string match_roles(const InteractionType& type, const InteractionType::Use& use,
                          const google::protobuf::RepeatedPtrField<Role>& roles) {
    std::vector<std::string> formal, actual;
    for (const auto& role : type.roles()) formal.push_back(role.name());
    for (const auto& role : roles) actual.push_back(role.name());
    if (auto mistake = unknown_key(use.roles(), formal, "role", use.type()); !mistake.empty())
      return mistake;
    roles_ = as_map(use.roles());
    Names players;
    for (const auto& role : type.roles()) {
      const auto found = roles_.find(role.name());
      if (found == roles_.end())
        return fmt::format("no role plays '{}' of {}: say roles: {{{}: ROLE}}", role.name(),
                           use.type(), role.name());
      const auto at = std::find(actual.begin(), actual.end(), found->second);
      if (at == actual.end())
        return fmt::format("unknown role '{}'{}", found->second,
                           nearest_hint(found->second, actual));
      if (const auto [other, is_new] = players.emplace(found->second, role.name()); !is_new) {
        return fmt::format("role '{}' cannot be both '{}' and '{}' of {}", found->second,
                           other->second, role.name(), use.type());
      }
      if (is_many(roles[static_cast<int>(at - actual.begin())]) != is_many(role)) {
        return fmt::format("role '{}' as '{}' of {}: {} expected, give it a cardinality to match",
                           found->second, role.name(), use.type(),
                           is_many(role) ? "many members are" : "one member is");
      }
    }
    return {};
  }

  std::string inner(const std::string& name, const InteractionType& type,
                    const InteractionType::Use& use,
                    const google::protobuf::RepeatedPtrField<Role>& roles, Expansion& expansion,
                    std::map<std::string, Expansion>& uses) {
    const Names operations = as_map(use.operations());
    for (const auto& each : type.interactions()) {
      if (each.has_use()) {
        InteractionType::Use nested = each.use();
        for (auto& pair : *nested.mutable_roles()) {
          const auto found = roles_.find(pair.value());
          if (found == roles_.end())
            return fmt::format("in {}: unknown role '{}'", use.type(), pair.value());
          pair.set_value(found->second);
        }
        auto& part = uses[each.interaction().name()];
        if (auto mistake = Expander(known_, within_)
                               .run(fmt::format("{}_{}", name, each.interaction().name()), nested,
                                    roles, part);
            !mistake.empty())
          return mistake;
        expansion.interactions.insert(expansion.interactions.end(), part.interactions.begin(),
                                      part.interactions.end());
        continue;
      }
      Interaction interaction = each.interaction();
      const auto operation = operations.find(interaction.name());
      if (operation != operations.end()) interaction.set_operation(operation->second);
      interaction.set_name(fmt::format("{}_{}", name, interaction.name()));
      interaction.set_from(roles_.at(interaction.from()));
      interaction.set_to(roles_.at(interaction.to()));
      interaction.set_part_of(name);
      interaction.set_interaction_type(use.type());
      expansion.interactions.push_back(std::move(interaction));
    }
    return {};
  }

  std::string protocol(const std::string& name, const InteractionType& type,
                       const InteractionType::Use& use, Expansion& expansion,
                       const std::map<std::string, Expansion>& uses) {
    Names values = as_map(type.parameters());
    for (const auto& pair : use.with()) values[pair.name()] = pair.value();
    std::string mistake;
    const std::string text = with_parameters(type.protocol(), values, mistake);
    if (!mistake.empty()) return mistake;
    auto parsed = parse_expression(text);
    if (!parsed)
      return fmt::format("in the protocol of {}, \"{}\": {}", use.type(), text,
                         parsed.error().message);
    expansion.protocol = std::move(*parsed);
    std::set<std::string> names;
    for (const auto& inner : type.interactions()) names.insert(inner.interaction().name());
    each_part(expansion.protocol, [&](const Expression& part) {  // a type that has a mistake of its
                                                                 // own may stand in the same file
      if (part.has_symbol() && !names.contains(part.symbol().name()))
        mistake = fmt::format("the protocol of {} names an unknown interaction '{}'", use.type(),
                              part.symbol().name());
      const std::string& role = part.has_chosen()   ? part.chosen().role()
                                : part.has_symbol() ? part.symbol().role()
                                                    : std::string();
      if (!role.empty() && !roles_.contains(role))
        mistake = fmt::format("the protocol of {} names an unknown role '{}'", use.type(), role);
    });
    if (!mistake.empty()) return mistake;
    rename(expansion.protocol, [&](Expression& part) {
      if (part.has_chosen()) part.mutable_chosen()->set_role(roles_[part.chosen().role()]);
      if (!part.has_symbol()) return;
      auto& symbol = *part.mutable_symbol();
      if (!symbol.role().empty()) symbol.set_role(roles_[symbol.role()]);
      if (!uses.contains(symbol.name())) symbol.set_name(fmt::format("{}_{}", name, symbol.name()));
    });
    return replace_uses(expansion.protocol, uses);
  }

  const InteractionTypeLookup& known_;
  std::vector<std::string> within_;
  Names roles_;
};

}  // namespace

std::string with_parameters(const std::string& text,
                            const std::map<std::string, std::string>& values,
                            std::string& mistake) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      out += text[at++];
      continue;
    }
    std::size_t end = at + 1;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_'))
      ++end;
    const std::string name = text.substr(at + 1, end - at - 1);
    const auto found = values.find(name);
    if (found == values.end()) {
      std::vector<std::string> known;
      for (const auto& [each, value] : values) known.push_back(each);
      mistake = fmt::format("the protocol names an unknown parameter '${}'{}", name,
                            nearest_hint(name, known));
      return out;
    }
    out += found->second;
    at = end;
  }
  return out;
}

std::string interaction_type_id(const InteractionType& type) {
  return fmt::format("{}/{}", type.name(), type.major());
}

const std::map<std::string, InteractionType>& standard_interaction_types() {
  static const auto kStandard = [] {
    std::map<std::string, InteractionType> types;
    for (auto& type : read_interaction_types(kStandardTypes, "standard types"))
      types.emplace(interaction_type_id(type), type);
    return types;
  }();
  return kStandard;
}

std::string expand(const std::string& name, const InteractionType::Use& use,
                   const google::protobuf::RepeatedPtrField<Role>& roles,
                   const InteractionTypeLookup& known, Expansion& expansion) {
  return Expander(known, {}).run(name, use, roles, expansion);
}

std::string replace_uses(Expression& expression, const std::map<std::string, Expansion>& uses) {
  std::string mistake;
  std::size_t octets = 0;
  rename(expression, [&](Expression& part) {
    if (!part.has_symbol() || !mistake.empty()) return;
    const auto found = uses.find(part.symbol().name());
    if (found == uses.end()) return;
    if (!part.symbol().role().empty()) {
      mistake = fmt::format("{}[{}]: a custom Interaction has its members in itself; write {}",
                            part.symbol().name(), part.symbol().role(), part.symbol().name());
      return;
    }
    octets += found->second.protocol.ByteSizeLong();
    if (octets > kExpressionOctetsMax) {
      mistake =
          fmt::format("the protocol becomes larger than {} octets with its custom Interactions",
                      kExpressionOctetsMax);
      return;
    }
    part = Expression(found->second.protocol);
  });
  return mistake;
}

Result<Binding> as_binding(const InteractionType& type, const InteractionTypeLookup& known) {
  InteractionType::Use self;
  self.set_type(interaction_type_id(type));
  for (const auto& role : type.roles()) {
    auto* pair = self.add_roles();
    pair->set_name(role.name());
    pair->set_value(role.name());
  }
  const InteractionTypeLookup with_self = [&](const std::string& id) {
    return id == self.type() ? &type : known ? known(id) : nullptr;
  };
  Expansion expansion;
  if (auto mistake = expand("_", self, type.roles(), with_self, expansion); !mistake.empty())
    return fail(Code::kInvalidArgument, mistake);
  Binding binding;
  binding.set_name(type.name());
  binding.set_major(type.major());
  binding.set_description(type.description());
  *binding.mutable_roles() = type.roles();
  const auto plain = [](const std::string& name) {
    HECTOR_CHECK(name.starts_with("__"), "an expanded name without the prefix of its use");
    return name.substr(2);
  };
  for (auto& interaction : expansion.interactions) {
    interaction.set_name(plain(interaction.name()));
    *binding.add_interactions() = interaction;
  }
  rename(expansion.protocol, [&](Expression& part) {
    if (part.has_symbol()) part.mutable_symbol()->set_name(plain(part.symbol().name()));
  });
  *binding.mutable_protocol() = expansion.protocol;
  return binding;
}

}  // namespace hector::types
