// What: types without a kernel: TypeModel, a type as its canonical form, read from files or texts
// and compared with others.
// Why: languages make classes from types, protocols describe Objects, and the Type service compares
// versions, all without a repository.
// Who: plugins; the command line. What people write types with (checks of files, formats, code) is
// in hector/authoring.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/conformance.h"
#include "hector/result.h"

namespace hector {

/// Texts by their paths, as imports name them: "diary/messages.proto".
using ProtoTexts = std::map<std::string, std::string>;

/// Immutable; any thread.
class TypeModel {
 public:
  virtual ~TypeModel() = default;
  /// "interface", "binding", "interaction", "message".
  [[nodiscard]] virtual const std::string& kind() const noexcept = 0;
  /// "diary.Calendar/1"; a message has no major: "diary.Slot".
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  /// A serialised hector.type.v1 message; of a message a FileDescriptorSet.
  [[nodiscard]] virtual const std::string& canonical() const noexcept = 0;
  /// SHA-256 of the canonical form, 64 hex digits.
  [[nodiscard]] virtual const std::string& identity() const noexcept = 0;
  /// The types that it names: Interfaces of roles, messages of operations.
  [[nodiscard]] virtual const std::vector<std::string>& uses() const noexcept = 0;
  /// A serialised FileDescriptorSet of every message that it uses, directly or not.
  [[nodiscard]] virtual std::string descriptors() const = 0;
};
using TypeModelPtr = std::shared_ptr<const TypeModel>;

/// The types of a type file, Interfaces first. NOT_FOUND if there is no such file, else as
/// read_type_models(); kIncompatible if one of its Binding types cannot work.
Result<std::vector<TypeModelPtr>> load_type_models(const std::string& path);
/// The types of a type file's text. Whether Binding types can work is not looked at. `name` is for
/// messages. INVALID_ARGUMENT: "name:line:column: what".
Result<std::vector<TypeModelPtr>> read_type_models(const std::string& yaml, const std::string& name,
                                                   const ProtoTexts& protos);
/// The top-level messages of one of these .proto files; its services as Interfaces of that major.
Result<std::vector<TypeModelPtr>> read_proto_models(const std::string& file,
                                                    const ProtoTexts& protos, std::uint32_t major);
/// From a canonical form. INVALID_ARGUMENT.
Result<TypeModelPtr> make_type_model(const std::string& kind, const std::string& name,
                                     const std::string& canonical);

enum class Upgrade {
  kBackward,  ///< users of the newer read, and serve, what users of the older send
  kForward,   ///< users of the older read what users of the newer send
};
/// Whether the newer may follow the older. Messages are compared by Protobuf's structure. An
/// Interface's newer version must play the older's protocol (kBackward), and what both have, the
/// older must understand too (kForward). A Binding type's roles must be playable by those that
/// played them. INVALID_ARGUMENT for types of two kinds.
Result<Conformance> check_upgrade(const TypeModel& newer, const TypeModel& older, Upgrade upgrade);

enum class ConformanceLevel { kSignature, kBehaviour };
/// Whether an Interface, or a message, may stand where another one is expected. INVALID_ARGUMENT
/// for other kinds.
Result<Conformance> check_replacement(const TypeModel& sub, const TypeModel& super,
                                      ConformanceLevel level);
/// Whether an Interface may play a Role; `required` is the Interface that the Role names. NOT_FOUND
/// if there is no such Role, INVALID_ARGUMENT for other kinds.
Result<Conformance> check_role(const TypeModel& interface, const TypeModel& binding,
                               const std::string& role, const TypeModel& required,
                               ConformanceLevel level);
/// The Interface that a Role of a Binding type names. NOT_FOUND.
Result<std::string> interface_of_role(const TypeModel& binding, const std::string& role);

/// The FileDescriptorSet of hector.type.v1 itself.
std::string type_model_descriptors();

}  // namespace hector
