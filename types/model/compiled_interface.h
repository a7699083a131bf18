// What: an Interface compiled from its model: indexed operations, message pool, automaton.
// Why: what offers, channels and languages ask of a type at run time, prepared once.
// Who: the type repository; everything else through hector/interface.h.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "hector/interface.h"
#include "hector/type/v1/type.pb.h"
#include "types/model/messages.h"
#include "types/order/regular.h"

namespace hector::types {

class CompiledInterface;
/// Owners: the repository, and whoever works by the type; it never changes.
using CompiledPtr = std::shared_ptr<const CompiledInterface>;

class CompiledInterface final : public Interface {
 public:
  /// INVALID_ARGUMENT if the model is inconsistent: unknown messages, operations without a kind, a
  /// protocol that names other operations. RESOURCE_EXHAUSTED if its order is too large.
  static Result<CompiledPtr> make(hector::type::v1::Interface model);

  const std::string& name() const noexcept override { return model_.name(); }
  std::uint32_t major() const noexcept override { return model_.major(); }
  const std::string& id() const noexcept override { return id_; }
  const std::string& identity() const noexcept override { return identity_; }
  const std::vector<Operation>& operations() const noexcept override { return operations_; }
  const std::vector<Operation>& initiates() const noexcept override { return initiates_; }
  const Operation* find(std::string_view operation) const noexcept override;
  const std::string& descriptors() const noexcept override { return descriptors_; }
  const std::string& model() const noexcept override { return serialised_; }
  Result<std::string> from_json(std::string_view message, std::string_view json) const override;
  Result<std::string> to_json(std::string_view message, std::string_view bytes) const override;

  [[nodiscard]] const hector::type::v1::Interface& typed_model() const { return model_; }
  [[nodiscard]] const MessagePool& messages() const { return *pool_; }
  /// Absent: any order. Its symbols are positions in operations, then initiates.
  [[nodiscard]] const std::optional<Automaton>& automaton() const { return automaton_; }

 private:
  using Operations = google::protobuf::RepeatedPtrField<hector::type::v1::Operation>;
  [[nodiscard]] Result<std::vector<Operation>> compile(const Operations& models) const;

  hector::type::v1::Interface model_;
  std::string id_, identity_, descriptors_, serialised_;
  std::vector<Operation> operations_, initiates_;
  std::unordered_map<std::string_view, std::uint32_t> by_name_;
  std::unique_ptr<const MessagePool> pool_;
  std::optional<Automaton> automaton_;
};

/// The compiled form behind the public interface, which has no other implementation.
inline const CompiledInterface& compiled(const Interface& interface) {
  return static_cast<const CompiledInterface&>(interface);
}

/// The one serialisation that identities are made from.
std::string deterministic(const google::protobuf::Message& message);

}  // namespace hector::types
