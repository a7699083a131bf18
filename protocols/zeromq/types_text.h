// What: the type files of this folder, as text.
// Why: the Objects that stand for networks bring their types.
// Who: Hermes, Roc.
#pragma once

namespace hector::zeromq {

extern const char* const kHermesYaml;
extern const char* const kHermesProto;
extern const char* const kRocYaml;
extern const char* const kRocProto;

}  // namespace hector::zeromq
