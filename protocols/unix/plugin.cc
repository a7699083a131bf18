// What: the entry of the unix plugin's library.
// Why: the loader asks for one symbol; everything else of the plugin is hidden.
// Who: the capsule's loader.
#include "hector/plugin.h"

#include "unix_protocol.h"

namespace {
hector::Protocol* make(const hector::ProtocolContext& context) {
  return hector::unix_sockets::make_protocol(context).release();
}
}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "unix",
    .make_protocol = make,
};
