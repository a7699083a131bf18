// What: the one entry of a plugin's library, and the ABI record that its manifest repeats.
// Why: the record is compared before the library is opened: a plugin of another build is refused
// with words, not with a crash.
// Who: every plugin; the capsule's loader.
#pragma once

#include <memory>

#include "hector/language.h"
#include "hector/protocol.h"
#include "hector/service.h"
#include "hector/store.h"

#define HECTOR_ABI_VERSION 2
#define HECTOR_EXPORT __attribute__((visibility("default")))

extern "C" {
/// A plugin library exports `hector_plugin_v1`. Exactly one of the makers is set. What a maker
/// returns is deleted by the kernel before the plugin is retired.
struct hector_plugin {
  unsigned size;  ///< sizeof(hector_plugin)
  unsigned abi;   ///< HECTOR_ABI_VERSION
  const char* name;
  hector::Protocol* (*make_protocol)(const hector::ProtocolContext& context);
  hector::Language* (*make_language)(const hector::LanguageContext& context);
  hector::Service* (*make_service)(const hector::ServiceContext& context);
  hector::Store* (*make_store)(const hector::StoreContext& context);
};
}
