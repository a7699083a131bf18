#include "channel/rights_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace hector::rights {

namespace {

constexpr std::size_t kPrincipalOctetsMax = 256;

/// Between quotes, as both Cedar and JSON read it but for control characters.
std::string quoted(std::string_view text, std::string_view control) {
  std::string out = "\"";
  for (const char each : text) {
    const auto octet = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\') {
      out.append("\\").push_back(each);
    } else if (octet < 0x20 || octet == 0x7f) {
      out += fmt::format(fmt::runtime(control), octet);
    } else {
      out.push_back(each);
    }
  }
  return out.append("\"");
}
std::string json_text(std::string_view text) { return quoted(text, "\\u{:04x}"); }

std::string json_entity(std::string_view type, std::string_view id) {
  return fmt::format(R"({{"__entity":{{"type":"{}","id":{}}}}})", type, json_text(id));
}
std::string_view security_name(Security security) {
  return security == Security::kPrivacy     ? "privacy"
         : security == Security::kIntegrity ? "integrity"
                                            : "none";
}
std::string_view yes(bool value) { return value ? "true" : "false"; }

}  // namespace

std::string entity(std::string_view type, std::string_view id) {
  return fmt::format("{}::{}", type, quoted(id, "\\u{{{:x}}}"));
}
std::string principal(std::string_view principal) {
  return entity("Principal", principal.empty() ? kAnonymous : principal);
}
std::string operation(std::string_view interface_id, std::string_view operation) {
  return entity("Operation", fmt::format("{}.{}", interface_id, operation));
}
std::string role(std::string_view binding_type, std::string_view role) {
  return entity("Role", fmt::format("{}.{}", binding_type, role));
}

Context about(std::string_view principal, std::string_view capsule, std::string_view object) {
  Context context{.capsule = capsule, .object = object};
  constexpr std::string_view kCapsule = "capsule:";
  if (!principal.starts_with(kCapsule)) return context;
  const auto name = principal.substr(kCapsule.size());
  const auto slash = std::min(name.find('/'), name.size());
  context.is_same_capsule = name.substr(0, slash) == capsule;
  context.is_same_object =
      context.is_same_capsule && slash < name.size() && name.substr(slash + 1) == object;
  return context;
}

std::string json(const Context& context) {
  std::string out = fmt::format(
      R"({{"object":{},"is_same_capsule":{},"is_same_object":{},"is_authenticated":{})",
      json_entity("Object", fmt::format("{}/{}", context.capsule, context.object)),
      yes(context.is_same_capsule), yes(context.is_same_object), yes(context.is_authenticated));
  const auto add = [&](std::string_view name, std::string_view value, std::string text) {
    if (!value.empty()) out += fmt::format(R"(,"{}":{})", name, text);
  };
  add("binding_type", context.binding_type, json_text(context.binding_type));
  add("role", context.role, json_text(context.role));
  add("initiator", context.initiator, json_entity("Principal", context.initiator));
  add("protocol", context.protocol, json_text(context.protocol));
  add("security", context.protocol, json_text(security_name(context.security)));
  add("claimed", context.claimed, json_entity("Principal", context.claimed));
  return out + "}";
}

bool is_principal(std::string_view text) {
  return !text.empty() && text.size() <= kPrincipalOctetsMax &&
         std::all_of(text.begin(), text.end(), [](char each) { return each > ' ' && each < 0x7f; });
}

}  // namespace hector::rights
