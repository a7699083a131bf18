#include "hector/plugin.h"

#include "zenoh_protocol.h"

namespace {
hector::Protocol* make(const hector::ProtocolContext& context) {
  return hector::zenohp::make_protocol(context).release();
}
}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    sizeof(hector_plugin), HECTOR_ABI_VERSION, "zenoh", make, nullptr, nullptr};
