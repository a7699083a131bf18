#include "hector/plugin.h"

#include "udp_protocol.h"

namespace {
hector::Protocol* make(const hector::ProtocolContext& context) {
  return hector::udp::make_protocol(context).release();
}
}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    sizeof(hector_plugin), HECTOR_ABI_VERSION, "udp", make, nullptr, nullptr};
