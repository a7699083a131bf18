#include "formal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "state/answer.h"

namespace hector::type_service {

using state::refuse;

namespace {

constexpr const char* kYaml = "application/yaml";
constexpr const char* kProto = "text/x-protobuf";
/// A serialised hector.type.v1 message.
constexpr const char* kModel = "application/x-hector-model";
constexpr const char* kDescriptors = "application/x-protobuf-descriptor-set";
constexpr const char* kKinds[] = {"message", "interaction", "interface",    "role",  "binding",
                                  "object",  "service",     "relationship", "policy"};

std::uint32_t major_of(const std::string& name) {
  const auto slash = name.rfind('/');
  const auto major =
      slash == std::string::npos ? 1UL : std::strtoul(name.c_str() + slash + 1, nullptr, 10);
  return static_cast<std::uint32_t>(std::clamp(major, 1UL, 1'000'000UL));
}
std::string path_of(const v1::TypeText& text) {
  return text.path().empty() ? "type.proto" : text.path();
}
std::string title_of(const v1::TypeText& text) {
  return fmt::format("{}{}{}", text.language(), text.path().empty() ? "" : " ", text.path());
}

tl::unexpected<Error> unreadable(const v1::TypeText& text, const Error& error) {
  return refuse("PARSE", fmt::format("{}: {}", title_of(text), error.message));
}

Result<TypeModelPtr> named(const std::string& name, const std::string& kind,
                           const v1::TypeText& text,
                           const Result<std::vector<TypeModelPtr>>& models) {
  if (!models) return unreadable(text, models.error());
  std::vector<std::string> there;
  for (const auto& each : *models) {
    if (each->name() == name && each->kind() == kind) return each;
    there.push_back(fmt::format("{} {}", each->kind(), each->name()));
  }
  return refuse(
      "PARSE", fmt::format("{}: there is no {} '{}' in it; there is {}", title_of(text), kind, name,
                           there.empty() ? "nothing" : fmt::format("{}", fmt::join(there, ", "))));
}

}  // namespace

bool is_kind(const std::string& kind) {
  return std::find_if(std::begin(kKinds), std::end(kKinds),
                      [&](const char* each) { return kind == each; }) != std::end(kKinds);
}

ProtoTexts protos_of(const google::protobuf::RepeatedPtrField<v1::TypeText>& descriptions) {
  ProtoTexts texts;
  for (const auto& each : descriptions) {
    if (each.media() == kProto) texts[path_of(each)] = each.content();
  }
  return texts;
}

Result<TypeModelPtr> formal_model(
    const std::string& name, const std::string& kind,
    const google::protobuf::RepeatedPtrField<v1::TypeText>& descriptions) {
  const bool is_message = kind == "message";
  if (!is_message && kind != "interface" && kind != "binding" && kind != "interaction")
    return TypeModelPtr();
  const ProtoTexts protos = protos_of(descriptions);
  const bool has_types =
      std::any_of(descriptions.begin(), descriptions.end(),
                  [](const auto& each) { return each.media() == kYaml || each.media() == kModel; });
  TypeModelPtr found;
  const v1::TypeText* from = nullptr;
  bool is_defined = false;
  for (const auto& each : descriptions) {
    Result<TypeModelPtr> model = TypeModelPtr();
    if (each.media() == kYaml) {
      model =
          named(name, kind, each,
                read_type_models(each.content(),
                                 each.path().empty() ? "type.hector.yaml" : each.path(), protos));
    } else if (each.media() == kModel || each.media() == kDescriptors) {
      model = make_type_model(kind, name, each.content());
      if (!model) return unreadable(each, model.error());
      if ((*model)->name() != name)
        return refuse("PARSE", fmt::format("{}: it is '{}', not '{}'", title_of(each),
                                           (*model)->name(), name));
    } else if (each.media() == kProto && (is_message || (kind == "interface" && !has_types))) {
      // Others of the texts may only be imported.
      auto models = read_proto_models(path_of(each), protos, major_of(name));
      if (!models) return unreadable(each, models.error());
      const auto own = std::find_if(models->begin(), models->end(), [&](const auto& one) {
        return one->name() == name && one->kind() == kind;
      });
      if (own == models->end()) {
        is_defined = true;
        continue;
      }
      model = *own;
    } else {
      continue;
    }
    if (!model) return fail(model.error());
    if (found && (*model)->identity() != found->identity())
      return refuse("INCONSISTENT", fmt::format("'{}' is not the same in {} and in {}", name,
                                                title_of(*from), title_of(each)));
    found = *model;
    from = &each;
  }
  if (!found && is_defined)
    return refuse("PARSE", fmt::format("there is no {} '{}' in its .proto texts", kind, name));
  return found;
}

Result<Mode> mode_of(const std::string& text) {
  std::string base = text;
  Mode mode;
  /// Compared with every earlier version, not the last only.
  constexpr std::string_view kSuffix = "_TRANSITIVE";
  if (base.ends_with(kSuffix)) {
    mode.is_transitive = true;
    base.resize(base.size() - kSuffix.size());
  }
  mode.backward = base == "BACKWARD" || base == "FULL";
  mode.forward = base == "FORWARD" || base == "FULL";
  if (mode.backward || mode.forward || text == "NONE") return mode;
  return fail(Code::kInvalidArgument,
              fmt::format("'{}' is none of NONE, BACKWARD, FORWARD, FULL, BACKWARD_TRANSITIVE, "
                          "FORWARD_TRANSITIVE, FULL_TRANSITIVE",
                          text));
}

std::string default_mode(const std::string& kind) {
  if (kind == "interface" || kind == "binding") return "FULL_TRANSITIVE";
  return kind == "message" ? "BACKWARD" : "NONE";
}

void add_findings(const Conformance& conformance, std::uint64_t version, v1::TypeVerdict& verdict) {
  for (const auto& finding : conformance.findings) {
    auto& violation = *verdict.add_violations();
    violation.set_rule(finding.rule);
    violation.set_text(finding.text);
    violation.set_path(finding.text.substr(0, finding.text.find(": ")));
    for (const auto& each : finding.trace) violation.add_trace(each);
    violation.set_version(version);
  }
}

Status check_version(const TypeModel& newer, const TypeModel& older, std::uint64_t version,
                     const Mode& mode, v1::TypeVerdict& verdict) {
  for (const auto& [is_asked, upgrade] :
       {std::pair(mode.backward, Upgrade::kBackward), std::pair(mode.forward, Upgrade::kForward)}) {
    if (!is_asked) continue;
    auto conformance = HECTOR_TRY(check_upgrade(newer, older, upgrade));
    add_findings(conformance, version, verdict);
  }
  return {};
}

}  // namespace hector::type_service
