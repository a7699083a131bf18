#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/text/nearest.h"
#include "hector/check.h"
#include "hector/sha256.h"
#include "hector/types.h"
#include "types/check/binding_check.h"
#include "types/check/conformance.h"
#include "types/check/signature.h"
#include "types/check/upgrade.h"
#include "types/model/messages.h"
#include "types/model/reader.h"
#include "types/model/service_yaml.h"
#include "types/registry/repository.h"

namespace hector {

namespace pb = google::protobuf;

namespace {

class Model final : public TypeModel {
 public:
  const std::string& kind() const noexcept override { return kind_; }
  const std::string& name() const noexcept override { return name_; }
  const std::string& canonical() const noexcept override { return canonical_; }
  const std::string& identity() const noexcept override { return identity_; }
  const std::vector<std::string>& uses() const noexcept override { return uses_; }
  std::string descriptors() const override {
    return kind_ == "interface" ? interface_->descriptors()
           : kind_ == "message" ? canonical_
                                : pb::FileDescriptorSet().SerializeAsString();
  }

  std::string kind_, name_, canonical_, identity_;
  std::vector<std::string> uses_;
  types::CompiledPtr interface_;
  std::optional<hector::type::v1::Binding> binding_;
  std::unique_ptr<const types::MessagePool> messages_;
};
const Model& of(const TypeModel& model) { return static_cast<const Model&>(model); }

std::unique_ptr<Model> begin(const char* kind, std::string name) {
  auto model = std::make_unique<Model>();
  model->kind_ = kind;
  model->name_ = std::move(name);
  return model;
}
TypeModelPtr finish(std::unique_ptr<Model> model, std::string canonical) {
  HECTOR_CHECK(!canonical.empty(), "a type's model has no canonical form");
  model->canonical_ = std::move(canonical);
  // Messages that stand on each other have one canonical form.
  model->identity_ = sha256_hex(model->kind_ == "message" ? model->name_ + "\n" + model->canonical_
                                                          : model->canonical_);
  std::sort(model->uses_.begin(), model->uses_.end());
  model->uses_.erase(std::unique(model->uses_.begin(), model->uses_.end()), model->uses_.end());
  return model;
}

Result<TypeModelPtr> of_interface(const hector::type::v1::Interface& interface) {
  auto compiled = HECTOR_TRY(types::CompiledInterface::make(interface));
  auto model = begin("interface", compiled->id());
  for (const auto* list : {&compiled->operations(), &compiled->initiates()}) {
    for (const auto& operation : *list) {
      for (const auto& message : {operation.input, operation.output}) {
        if (!message.empty()) model->uses_.emplace_back(message);
      }
    }
  }
  model->interface_ = compiled;
  return finish(std::move(model), compiled->model());
}
TypeModelPtr of_binding(const hector::type::v1::Binding& binding) {
  auto model = begin("binding", types::binding_id(binding));
  for (const auto& role : binding.roles()) model->uses_.push_back(role.interface_id());
  for (const auto& interaction : binding.interactions()) {
    if (!interaction.interaction_type().empty())
      model->uses_.push_back(interaction.interaction_type());
  }
  model->binding_ = binding;
  return finish(std::move(model), types::deterministic(binding));
}
TypeModelPtr of_interaction(const hector::type::v1::InteractionType& type) {
  return finish(begin("interaction", types::interaction_type_id(type)), types::deterministic(type));
}

/// What a message stands on, and nothing else of its files: so what stands beside it there may
/// change.
class Reachable {
 public:
  explicit Reachable(const pb::Descriptor& message) { add(message); }
  [[nodiscard]] pb::FileDescriptorSet files() const {
    pb::FileDescriptorSet set;
    std::set<std::string> done;
    for (const auto& [file, names] : names_) put(*file, set, done);
    return set;
  }

 private:
  void add(const pb::Descriptor& message) {
    const pb::Descriptor* top = &message;
    while (top->containing_type() != nullptr) top = top->containing_type();
    if (names_[top->file()].insert(top->name()).second) add_fields(*top);
  }
  void add_fields(const pb::Descriptor& message) {
    for (int i = 0; i < message.field_count(); ++i) {
      const auto& field = *message.field(i);
      if (field.message_type() != nullptr) add(*field.message_type());
      if (field.enum_type() == nullptr) continue;
      if (field.enum_type()->containing_type() != nullptr)
        add(*field.enum_type()->containing_type());
      else
        names_[field.enum_type()->file()].insert(field.enum_type()->name());
    }
    for (int i = 0; i < message.nested_type_count(); ++i) add_fields(*message.nested_type(i));
  }
  void put(const pb::FileDescriptor& file, pb::FileDescriptorSet& set,
           std::set<std::string>& done) const {
    const auto own = names_.find(&file);
    if (!done.insert(file.name()).second) return;
    pb::FileDescriptorProto whole;
    file.CopyTo(&whole);
    pb::FileDescriptorProto kept;
    kept.set_name(whole.name());
    kept.set_package(whole.package());
    if (whole.has_syntax()) kept.set_syntax(whole.syntax());
    for (int i = 0; i < file.dependency_count(); ++i) {
      if (!reaches(*file.dependency(i))) continue;
      put(*file.dependency(i), set, done);
      kept.add_dependency(file.dependency(i)->name());
    }
    for (int i = 0; i < file.public_dependency_count(); ++i) {
      for (int k = 0; k < kept.dependency_size(); ++k) {
        if (kept.dependency(k) == file.public_dependency(i)->name()) kept.add_public_dependency(k);
      }
    }
    if (own != names_.end()) {
      for (const auto& each : whole.message_type()) {
        if (own->second.contains(each.name())) *kept.add_message_type() = each;
      }
      for (const auto& each : whole.enum_type()) {
        if (own->second.contains(each.name())) *kept.add_enum_type() = each;
      }
    }
    *set.add_file() = std::move(kept);
  }
  /// Itself, or by what it imports publicly.
  [[nodiscard]] bool reaches(const pb::FileDescriptor& file) const {
    if (names_.contains(&file)) return true;
    for (int i = 0; i < file.public_dependency_count(); ++i) {
      if (reaches(*file.public_dependency(i))) return true;
    }
    return false;
  }
  struct ByName {
    bool operator()(const pb::FileDescriptor* a, const pb::FileDescriptor* b) const {
      return a->name() < b->name();
    }
  };
  std::map<const pb::FileDescriptor*, std::set<std::string>, ByName> names_;
};

Result<TypeModelPtr> of_message(const std::string& name, const pb::FileDescriptorSet& files) {
  auto pool = HECTOR_TRY(types::MessagePool::make(files));
  const auto* const message = pool->find(name);
  if (message == nullptr)
    return fail(Code::kInvalidArgument, fmt::format("there is no message '{}' in its files{}", name,
                                                    nearest_hint(name, pool->names())));
  auto model = begin("message", name);
  std::set<const pb::Descriptor*> seen;
  const std::function<void(const pb::Descriptor*)> uses = [&](const pb::Descriptor* each) {
    if (!seen.insert(each).second) return;
    for (int i = 0; i < each->field_count(); ++i) {
      const auto* const used = each->field(i)->message_type();
      if (used == nullptr) continue;
      if (used != message && used->containing_type() == nullptr)
        model->uses_.push_back(used->full_name());
      else
        uses(used);
    }
  };
  uses(message);
  std::string canonical = types::deterministic(Reachable(*message).files());
  model->messages_ = std::move(pool);
  return finish(std::move(model), std::move(canonical));
}

/// Without order, and where `only` is given without operations that it has not.
Result<types::CompiledPtr> reduced(const types::CompiledInterface& interface,
                                   const types::CompiledInterface* only) {
  auto model = interface.typed_model();
  model.clear_protocol();
  for (auto* const list : {model.mutable_operations(), model.mutable_initiates()}) {
    if (only == nullptr) continue;
    const bool is_offered = list == model.mutable_operations();
    for (int i = list->size() - 1; i >= 0; --i) {
      const auto& there = is_offered ? only->operations() : only->initiates();
      if (std::none_of(there.begin(), there.end(),
                       [&](const auto& each) { return each.name == list->Get(i).name(); }))
        list->DeleteSubrange(i, 1);
    }
  }
  return types::CompiledInterface::make(std::move(model));
}

Result<Conformance> check_interfaces(const Model& newer, const Model& older, Upgrade upgrade) {
  HECTOR_CHECK(newer.interface_ && older.interface_, "an Interface's model has no Interface");
  if (upgrade == Upgrade::kBackward)
    return types::check_replacement(*newer.interface_, *older.interface_);
  // What both have: the older one serves users of the newer.
  auto shared = reduced(*newer.interface_, older.interface_.get());
  auto plain = reduced(*older.interface_, nullptr);
  if (!shared) return fail(shared.error());
  if (!plain) return fail(plain.error());
  auto conformance = types::check_replacement(**plain, **shared);
  for (const auto& operation : older.interface_->operations()) {
    if (newer.interface_->find(operation.name) == nullptr)
      conformance.findings.push_back(
          {"signature", fmt::format("operation '{}' is gone", operation.name), {}, {}});
  }
  return conformance;
}

}  // namespace

Result<std::vector<TypeModelPtr>> load_type_models(const std::string& path) {
  types::Repository repository;
  HECTOR_TRY(repository.load_file(path));
  std::vector<TypeModelPtr> models;
  for (const auto& each : repository.interfaces()) {
    auto model = HECTOR_TRY(of_interface(each->typed_model()));
    models.push_back(std::move(model));
  }
  for (const auto& each : repository.bindings()) models.push_back(of_binding(each));
  return models;
}

Result<std::vector<TypeModelPtr>> read_type_models(const std::string& yaml, const std::string& name,
                                                   const ProtoTexts& protos) {
  auto file = HECTOR_TRY(types::read_types(yaml, name, types::ProtoSource(&protos)));
  std::vector<TypeModelPtr> models;
  for (const auto& each : file.interfaces) {
    auto model = HECTOR_TRY(of_interface(each));
    models.push_back(std::move(model));
  }
  for (const auto& each : file.bindings) models.push_back(of_binding(each));
  for (const auto& each : file.interactions) models.push_back(of_interaction(each));
  return models;
}

Result<std::vector<TypeModelPtr>> read_proto_models(const std::string& file,
                                                    const ProtoTexts& protos, std::uint32_t major) {
  auto files = HECTOR_TRY(types::read_proto_files(types::ProtoSource(&protos), {file}));
  auto pool = HECTOR_TRY(types::MessagePool::make(files));
  const auto* const asked = pool->pool().FindFileByName(file);
  HECTOR_CHECK(asked != nullptr, "a file was read that is not in its own pool");
  std::vector<TypeModelPtr> models;
  for (int i = 0; i < asked->message_type_count(); ++i) {
    auto model = HECTOR_TRY(of_message(asked->message_type(i)->full_name(), files));
    models.push_back(std::move(model));
  }
  for (int i = 0; i < asked->service_count(); ++i) {
    auto read = HECTOR_TRY(types::read_types(types::service_yaml(*asked->service(i), major), file,
                                             types::ProtoSource(&protos)));
    auto model = HECTOR_TRY(of_interface(read.interfaces.at(0)));
    models.push_back(std::move(model));
  }
  return models;
}

Result<TypeModelPtr> make_type_model(const std::string& kind, const std::string& name,
                                     const std::string& canonical) {
  const auto wrong = [&] {
    return fail(
        Code::kInvalidArgument,
        fmt::format("'{}': the octets are no canonical form of a type of kind {}", name, kind));
  };
  if (kind == "interface") {
    hector::type::v1::Interface model;
    if (!model.ParseFromString(canonical) || model.name().empty()) return wrong();
    return of_interface(model);
  }
  if (kind == "binding") {
    hector::type::v1::Binding model;
    if (!model.ParseFromString(canonical) || model.name().empty() ||
        !types::malformed(model).empty())
      return wrong();
    return of_binding(model);
  }
  if (kind == "interaction") {
    hector::type::v1::InteractionType model;
    if (!model.ParseFromString(canonical) || model.name().empty()) return wrong();
    return of_interaction(model);
  }
  if (kind != "message")
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is none of interface, binding, interaction, message", kind));
  pb::FileDescriptorSet files;
  if (!files.ParseFromString(canonical) || files.file_size() == 0) return wrong();
  return of_message(name, files);
}

Result<Conformance> check_upgrade(const TypeModel& newer, const TypeModel& older, Upgrade upgrade) {
  if (newer.kind() != older.kind())
    return fail(Code::kInvalidArgument, fmt::format("'{}' is of kind {}, not {}", newer.name(),
                                                    older.kind(), newer.kind()));
  const auto& after = of(newer);
  const auto& before = of(older);
  if (newer.kind() == "interface") return check_interfaces(after, before, upgrade);
  Conformance conformance;
  auto& findings = conformance.findings;
  if (newer.kind() == "binding") {
    HECTOR_CHECK(before.binding_ && after.binding_, "a Binding type's model has no Binding type");
    types::check_upgrade(*before.binding_, *after.binding_, findings);
  } else if (newer.kind() == "message") {
    const auto* const a = before.messages_->find(older.name());
    const auto* const b = after.messages_->find(newer.name());
    HECTOR_CHECK(a != nullptr && b != nullptr, "a message's model has no message of its name");
    if (upgrade == Upgrade::kBackward)
      types::check_message(*a, *b, newer.name(), findings);
    else
      types::check_message(*b, *a, newer.name(), findings);
  }
  return conformance;
}

Result<Conformance> check_replacement(const TypeModel& sub, const TypeModel& super,
                                      ConformanceLevel level) {
  if (sub.kind() == "message" && super.kind() == "message") {
    Conformance conformance{{}, false};
    const auto* const a = of(sub).messages_->find(sub.name());
    const auto* const b = of(super).messages_->find(super.name());
    HECTOR_CHECK(a != nullptr && b != nullptr, "a message's model has no message of its name");
    types::check_message(*a, *b, sub.name(), conformance.findings);
    return conformance;
  }
  if (sub.kind() != "interface" || super.kind() != "interface")
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is of kind {}, '{}' of kind {}: Interfaces conform to Interfaces "
                            "and Roles, messages to messages",
                            sub.name(), sub.kind(), super.name(), super.kind()));
  if (level == ConformanceLevel::kBehaviour)
    return types::check_replacement(*of(sub).interface_, *of(super).interface_);
  auto a = reduced(*of(sub).interface_, nullptr);
  auto b = reduced(*of(super).interface_, nullptr);
  if (!a) return fail(a.error());
  if (!b) return fail(b.error());
  return types::check_replacement(**a, **b);
}

Result<Conformance> check_role(const TypeModel& interface, const TypeModel& binding,
                               const std::string& role, const TypeModel& required,
                               ConformanceLevel level) {
  const auto& model = of(binding).binding_;
  if (interface.kind() != "interface" || !model || required.kind() != "interface")
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is of kind {}: Interfaces play Roles of Binding types",
                            interface.name(), interface.kind()));
  const int at = types::role_position(*model, role);
  if (at < 0)
    return fail(Code::kNotFound, fmt::format("{} has no Role '{}'", binding.name(), role));
  auto candidate = of(interface).interface_;
  if (level == ConformanceLevel::kSignature) {
    auto plain = HECTOR_TRY(reduced(*candidate, nullptr));
    candidate = plain;
  }
  return types::check_role(*candidate, *model, static_cast<std::uint32_t>(at),
                           *of(required).interface_);
}

Result<std::string> interface_of_role(const TypeModel& binding, const std::string& role) {
  const auto& model = of(binding).binding_;
  const int at = model ? types::role_position(*model, role) : -1;
  if (at < 0)
    return fail(Code::kNotFound, fmt::format("{} has no Role '{}'", binding.name(), role));
  return model->roles(at).interface_id();
}

std::string type_model_descriptors() {
  return types::compiled_files({hector::type::v1::Interface::descriptor()}).SerializeAsString();
}

}  // namespace hector
