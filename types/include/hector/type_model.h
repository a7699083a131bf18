// What: TypeModel, a type as its canonical form: made from texts in memory, compared with others.
// Why: whoever keeps types (the Type service) has to know what they are, which version may follow
// which, and what plays which Role, without files.
// Who: services; the command line.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/type_file.h"

namespace hector {

/// Texts by their paths, as imports name them: "diary/messages.proto".
using ProtoTexts = std::map<std::string, std::string>;

/// Immutable; any thread.
class TypeModel {
 public:
  virtual ~TypeModel() = default;
  [[nodiscard]] virtual const std::string& kind()
      const noexcept = 0;  ///< "interface", "binding", "interaction", "message"
  [[nodiscard]] virtual const std::string& name()
      const noexcept = 0;  ///< "diary.Calendar/1"; of a message without a major: "diary.Slot"
  [[nodiscard]] virtual const std::string& canonical() const
      noexcept = 0;  ///< a serialised hector.type.v1 message, or of a message a FileDescriptorSet
  [[nodiscard]] virtual const std::string& identity()
      const noexcept = 0;  ///< SHA-256 of the canonical form, 64 hex digits
  [[nodiscard]] virtual const std::vector<std::string>& uses()
      const noexcept = 0;  ///< types that it names: Interfaces of roles, messages of operations
  /// A serialised FileDescriptorSet of every message it stands on.
  [[nodiscard]] virtual std::string descriptors() const = 0;
};
using TypeModelPtr = std::shared_ptr<const TypeModel>;

/// The types of a type file's text. `name` is for messages. INVALID_ARGUMENT: "name:line:column:
/// what".
Result<std::vector<TypeModelPtr>> read_type_models(const std::string& yaml, const std::string& name,
                                                   const ProtoTexts& protos);
/// The top-level messages of one of these .proto files; its services as Interfaces of that major.
Result<std::vector<TypeModelPtr>> read_proto_models(const std::string& file,
                                                    const ProtoTexts& protos, std::uint32_t major);
/// From a canonical form. INVALID_ARGUMENT.
Result<TypeModelPtr> make_type_model(const std::string& kind, const std::string& name,
                                     const std::string& canonical);

enum class Upgrade {
  kBackward,  ///< who uses the newer reads, and serves, what users of the older send
  kForward,   ///< who uses the older reads what users of the newer send
};
/// Why the newer may not follow the older; types of one kind. For messages, by Protobuf's
/// structure. An Interface's newer version has to play the older's protocol (kBackward); what both
/// have the older has to understand as well (kForward). A Binding type's roles have to be played by
/// whoever played them.
Result<Conformance> check_upgrade(const TypeModel& newer, const TypeModel& older, Upgrade upgrade);

enum class ConformanceLevel { kSignature, kBehaviour };
/// Whether an Interface may stand where another one is expected.
Result<Conformance> check_conforms(const TypeModel& sub, const TypeModel& super,
                                   ConformanceLevel level);
/// Whether it may play a Role; `required` is the Interface that the Role names. NOT_FOUND if there
/// is no such Role.
Result<Conformance> check_conforms(const TypeModel& interface, const TypeModel& binding,
                                   const std::string& role, const TypeModel& required,
                                   ConformanceLevel level);
/// The Interface that a Role of a Binding type names. NOT_FOUND.
Result<std::string> interface_of_role(const TypeModel& binding, const std::string& role);

/// One way in which users of the older .proto files would break, after Buf's rules.
struct ProtoBreaking {
  std::string rule, path, older, newer;
};
/// `category`: "FILE", "PACKAGE", "WIRE_JSON", "WIRE". INVALID_ARGUMENT.
Result<std::vector<ProtoBreaking>> check_proto_breaking(const ProtoTexts& older,
                                                        const ProtoTexts& newer,
                                                        const std::string& category);

}  // namespace hector
