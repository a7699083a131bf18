// What: what the formal descriptions of a type say (their canonical form), and which version may
// follow which.
// Why: descriptions in several languages are of one type only if they say the same; a version that
// breaks its users is refused.
// Who: the Type service.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hector/service/v1/type.pb.h"
#include "hector/types.h"

namespace hector::type_service {

namespace v1 = hector::service::v1;

/// The model that all formal descriptions give; null where there is none, or the kind has no formal
/// form. PARSE (language and place), INCONSISTENT (the two that differ).
Result<TypeModelPtr> formal_model(
    const std::string& name, const std::string& kind,
    const google::protobuf::RepeatedPtrField<v1::TypeText>& descriptions);

/// "NONE", "BACKWARD", "FORWARD", "FULL", and the last three with "_TRANSITIVE" (as Confluent's
/// registry names them).
struct Mode {
  bool backward = false, forward = false, is_transitive = false;
};
/// INVALID_ARGUMENT with the list.
Result<Mode> mode_of(const std::string& text);
/// FULL_TRANSITIVE of Interfaces and Binding types, BACKWARD of messages, NONE of what has no
/// formal form.
std::string default_mode(const std::string& kind);
bool is_kind(const std::string& kind);

/// What speaks against the newer one after an older one of this version; appended.
Status check_version(const TypeModel& newer, const TypeModel& older, std::uint64_t version,
                     const Mode& mode, v1::TypeVerdict& verdict);
void add_findings(const Conformance& conformance, std::uint64_t version, v1::TypeVerdict& verdict);

/// The .proto texts among descriptions, by path.
ProtoTexts protos_of(const google::protobuf::RepeatedPtrField<v1::TypeText>& descriptions);

}  // namespace hector::type_service
