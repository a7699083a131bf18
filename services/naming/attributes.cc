#include "attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "expression/xfn.h"
#include "state/answer.h"

namespace hector::naming {

using expression::Value;
using state::refuse;

namespace {

Status check_attribute(const v1::NamingAttribute& attribute) {
  if (attribute.id().empty() || attribute.id().size() > 200)
    return refuse("INVALID_ATTR_IDENTIFIER", "an attribute's identifier has 1 to 200 octets");
  if (attribute.values_size() > kAttributeValuesMax)
    return refuse("TOO_MANY_ATTR_VALUES",
                  fmt::format("'{}' has {} values; an attribute may have {}", attribute.id(),
                              attribute.values_size(), kAttributeValuesMax),
                  Code::kResourceExhausted);
  for (const auto& value : attribute.values()) {
    if (value.size() > kAttributeOctetsMax)
      return refuse("INVALID_ATTR_VALUE",
                    fmt::format("a value of '{}' has {} octets; one may have {}", attribute.id(),
                                value.size(), kAttributeOctetsMax));
  }
  return {};
}

bool has_value(const v1::NamingAttribute& attribute, const std::string& value) {
  return std::find(attribute.values().begin(), attribute.values().end(), value) !=
         attribute.values().end();
}
/// A set: each value once.
void add_values(v1::NamingAttribute& to, const v1::NamingAttribute& from) {
  for (const auto& value : from.values()) {
    if (!has_value(to, value)) to.add_values(value);
  }
}

void add_value(std::vector<Value>& values, const std::string& text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size())
    values.push_back(Value::of(number));
  values.push_back(Value::of(std::string_view(text)));
}

}  // namespace

std::string type_of(const v1::NamingBinding& binding) {
  if (!binding.type().empty()) return binding.type();
  if (!binding.context().empty()) return "hector.context";
  if (!binding.link().empty()) return "fn_link_ref";
  if (!binding.next().empty()) return "hector.next";
  return binding.reference().interface_id().empty() ? "hector.reference"
                                                    : binding.reference().interface_id();
}

v1::NamingBinding binding_at(const Place& place) {
  v1::NamingBinding binding;
  if (place.kind == Place::Kind::kContext)
    binding.set_context(place.context->id);
  else
    binding = *place.entry->binding;
  binding.set_type(type_of(binding));
  return binding;
}

const v1::NamingAttribute* find_attribute(const v1::NamingBinding& binding, std::string_view id) {
  const auto found = std::find_if(binding.attributes().begin(), binding.attributes().end(),
                                  [&](const auto& each) { return each.id() == id; });
  return found == binding.attributes().end() ? nullptr : &*found;
}

Status modify_attribute(v1::NamingBinding& binding, const v1::NamingModify::One& modification) {
  const auto& given = modification.attribute();
  if (auto fits = check_attribute(given); !fits) return fits;
  auto& attributes = *binding.mutable_attributes();
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const auto& each) { return each.id() == given.id(); });
  const bool is_there = found != attributes.end();
  const auto added = [&]() -> Status {
    if (attributes.size() >= kAttributesMax)
      return refuse("RESOURCE_EXHAUSTED",
                    fmt::format("a name may have {} attributes", kAttributesMax),
                    Code::kResourceExhausted);
    auto* const made = attributes.Add();
    made->set_id(given.id());
    add_values(*made, given);
    return {};
  };
  switch (modification.operation()) {
    case v1::NAMING_ADD_EXCLUSIVE:
      if (is_there)
        return refuse("ATTR_IN_USE", fmt::format("there is an attribute '{}'", given.id()),
                      Code::kAlreadyExists);
      return added();
    case v1::NAMING_ADD:
      if (!is_there) return added();
      found->clear_values();
      add_values(*found, given);
      return {};
    case v1::NAMING_ADD_VALUES:
      if (!is_there) return added();
      add_values(*found, given);
      return check_attribute(*found);
    case v1::NAMING_REMOVE:
      if (is_there) attributes.erase(found);
      return {};
    case v1::NAMING_REMOVE_VALUES: {
      if (!is_there) return {};
      auto& values = *found->mutable_values();
      values.erase(std::remove_if(values.begin(), values.end(),
                                  [&](const auto& value) { return has_value(given, value); }),
                   values.end());
      if (values.empty()) attributes.erase(found);
      return {};
    }
    default:
      return refuse(
          "INVALID_ATTR_IDENTIFIER",
          "the modification is none of ADD, ADD_EXCLUSIVE, ADD_VALUES, REMOVE, REMOVE_VALUES");
  }
}

Status check_attributes(const v1::NamingBind& request) {
  if (request.attributes_size() > kAttributesMax)
    return refuse("RESOURCE_EXHAUSTED",
                  fmt::format("a name may have {} attributes", kAttributesMax),
                  Code::kResourceExhausted);
  for (const auto& each : request.attributes()) {
    if (auto fits = check_attribute(each); !fits) return fits;
  }
  return {};
}

bool matches(const expression::Program& filter, std::string_view atom,
             const v1::NamingBinding& binding) {
  if (filter.is_always()) return true;
  const auto& names = filter.tree().names;
  std::vector<std::vector<Value>> lists(names.size());
  std::vector<Value> slots(names.size());
  const std::string type = type_of(binding);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == expression::kNameOf) {
      lists[i].push_back(Value::of(atom));
    } else if (names[i] == expression::kReferenceTypeOf) {
      lists[i].push_back(Value::of(std::string_view(type)));
    } else if (names[i] == expression::kAddressTypesOf) {
      for (const auto& address : binding.addresses())
        lists[i].push_back(Value::of(std::string_view(address.type())));
      for (const auto& profile : binding.reference().profiles())
        lists[i].push_back(Value::of(std::string_view(profile.protocol())));
    } else if (const auto* const attribute = find_attribute(binding, names[i])) {
      for (const auto& value : attribute->values()) add_value(lists[i], value);
    } else {
      continue;
    }
    slots[i] = Value::of(lists[i].data(), lists[i].size());
  }
  return filter.matches(slots);
}

}  // namespace hector::naming
