// What: the entry of the udp plugin's library.
// Why: the loader asks for one symbol; everything else of the plugin is hidden.
// Who: the capsule's loader.
#include "hector/plugin.h"

#include "udp_protocol.h"

namespace {
hector::Protocol* make(const hector::ProtocolContext& context) {
  return hector::udp::make_protocol(context).release();
}
}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "udp",
    .make_protocol = make,
};
