#include "types_text.h"

namespace hector::zeromq {

const char* const kHermesYaml =
#include "hermes_yaml.inc"
    ;
const char* const kHermesProto =
#include "hermes_proto.inc"
    ;
const char* const kRocYaml =
#include "roc_yaml.inc"
    ;
const char* const kRocProto =
#include "roc_proto.inc"
    ;

}  // namespace hector::zeromq
