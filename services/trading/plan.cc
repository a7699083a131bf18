#include "plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "state/answer.h"

namespace hector::trading {

using expression::CompileOptions;
using state::refuse;

bool is_property_name(std::string_view name) {
  if (name.empty() || name.size() > 200 ||
      std::isalpha(static_cast<unsigned char>(name.front())) == 0)
    return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}
bool is_type_name(std::string_view name) {
  return !name.empty() && name.size() <= 500 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 ||
                  std::string_view("_./:-").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

namespace {

/// "diary.Room/1": an Interface's id is a service type without declared properties.
bool is_interface_id(std::string_view name) {
  const auto slash = name.rfind('/');
  return slash != std::string_view::npos && slash + 1 < name.size() &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(slash) + 1, name.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

Result<std::uint32_t> card(const std::string& name, const std::string& value) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
  if (read.ec != std::errc() || read.ptr != value.data() + value.size())
    return refuse("PolicyTypeMismatch",
                  fmt::format("policy '{}' is a number, not '{}'", name, value));
  return number;
}
Result<bool> flag(const std::string& name, const std::string& value) {
  if (value == "true" || value == "TRUE") return true;
  if (value == "false" || value == "FALSE") return false;
  return refuse("PolicyTypeMismatch",
                fmt::format("policy '{}' is true or false, not '{}'", name, value));
}
std::uint32_t or_all(std::uint32_t value) { return value == 0 ? UINT32_MAX : value; }

/// The importer's policies within this trader's limits; 0 in an attribute is no limit.
Status apply_policies(const Offers& offers, const v1::TradingQuery& query, Plan& plan) {
  const auto& own = offers.attributes();
  struct Row {
    const char* name;
    std::uint32_t otherwise, most;
    std::uint32_t* place;
  };
  const Row rows[] = {
      {"search_card", or_all(own.def_search_card()), or_all(own.max_search_card()),
       &plan.cards.search},
      {"match_card", or_all(own.def_match_card()), or_all(own.max_match_card()), &plan.cards.match},
      {"return_card", or_all(own.def_return_card()), or_all(own.max_return_card()),
       &plan.cards.result}};
  for (const auto& row : rows) *row.place = std::min(row.otherwise, row.most);
  for (const auto& [name, value] : query.policies()) {
    const auto row = std::find_if(std::begin(rows), std::end(rows),
                                  [&](const Row& each) { return each.name == name; });
    if (row != std::end(rows)) {
      auto number = HECTOR_TRY(card(name, value));
      *row->place = std::min(number, row->most);
    } else if (name == "exact_type_match") {
      auto exact = HECTOR_TRY(flag(name, value));
      plan.is_exact = exact;
    } else {
      auto read = HECTOR_TRY(read_importer_policy(name, value, plan.asks));
      if (!read) {
        return refuse("IllegalPolicyName",
                      fmt::format("'{}' is none of exact_type_match, search_card, match_card, "
                                  "return_card, link_follow_rule, hop_count, request_id, "
                                  "starting_trader, use_dynamic_properties, use_proxy_offers",
                                  name));
      }
    }
  }
  return {};
}

}  // namespace

Result<const Type*> known_type(const Offers& offers, const std::string& name) {
  if (!is_type_name(name))
    return refuse("IllegalServiceType", fmt::format("'{}' is no name of a service type", name));
  const Type* type = offers.type(name);
  if (type != nullptr && type->is_declared) return type;
  if (is_interface_id(name)) return type;
  return refuse("UnknownServiceType",
                fmt::format("there is no service type '{}'; add it with its properties, or name an "
                            "Interface (diary.Room/1)",
                            name),
                Code::kNotFound);
}

CompileOptions options_for(const Offers& offers, const Type* type,
                           expression::Undefined undefined) {
  std::map<std::string, Declared, std::less<>> declared;
  if (type != nullptr && type->is_declared) {
    for (const auto& property : offers.all_properties(type->model))
      declared[property.name()] = declared_of(property.type());
  }
  CompileOptions options;
  options.undefined = undefined;
  options.declared = [declared = std::move(declared)](std::string_view name) {
    const auto found = declared.find(name);
    return found == declared.end() ? Declared{} : found->second;
  };
  return options;
}

Result<Plan> plan_of(const Offers& offers, const v1::TradingQuery& query) {
  auto type = HECTOR_TRY(known_type(offers, query.type()));
  if (!query.undefined().empty() && query.undefined() != "kleene" && query.undefined() != "omg")
    return refuse(
        "InvalidPolicyValue",
        fmt::format("'{}' is no rule for what is undefined: kleene or omg", query.undefined()));
  for (const auto& name : query.desired()) {
    if (!is_property_name(name))
      return refuse("IllegalPropertyName", fmt::format("'{}' is no property's name", name));
    if (std::count(query.desired().begin(), query.desired().end(), name) > 1)
      return refuse("DuplicatePropertyName", fmt::format("'{}' is desired twice", name));
  }
  Plan plan;
  HECTOR_TRY(apply_policies(offers, query, plan));
  const auto options = options_for(
      offers, type,
      query.undefined() == "omg" ? expression::Undefined::kOmg : expression::Undefined::kKleene);
  auto constraint = HECTOR_TRY(expression::compile_constraint(query.constraint(), options));
  auto preference = HECTOR_TRY(expression::compile_preference(query.preference(), options));
  if (query.strict()) {
    for (const auto* program : {&constraint, &preference.program}) {
      for (const auto& name : program->tree().names) {
        if (options.declared(name).kind == expression::Kind::kUndefined)
          return refuse("IllegalConstraint",
                        fmt::format("'{}' is no declared property of '{}', and the query is strict",
                                    name, query.type()));
      }
    }
  }
  plan.constraint = std::move(constraint);
  plan.preference = std::move(preference);
  return plan;
}

}  // namespace hector::trading
