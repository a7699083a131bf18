// What: a template whose description is one of another version of hector.h, as its build says.
// Why: templates that were built before hector_template grew must load.
// Who: cpp_language_test.
#include "hector/hector.h"

namespace {

/// hector_template's first version, before `save` and what follows.
struct FirstTemplate {
  uint32_t size, abi;
  const char *name, *version, *interface_id, *type_yaml, *description;
  uint32_t thread, parallel;
  const char* const* operations;
  void* (*create)(hector_capsule*, const char*, hector_text_fn, void*);
  void (*destroy)(void*);
  void (*invoke)(void*, uint32_t, hector_call*);
  void (*bound)(void*, hector_session*);
  void (*unbound)(void*, hector_session*);
};
static_assert(sizeof(FirstTemplate) == HECTOR_TEMPLATE_SIZE_MIN);

const char* const kOperations[] = {"echo", nullptr};
int instance;

/// What follows the description in memory is no part of it: reading it would be seen.
struct {
  FirstTemplate description;
  unsigned char other[64];
} described = {
    {sizeof(FirstTemplate) - TEMPLATE_LACKS, TEMPLATE_ABI, "kit.Older", nullptr, "kit.Echo/1",
     nullptr, nullptr, 1, 0, kOperations,
     [](hector_capsule*, const char*, hector_text_fn, void*) -> void* { return &instance; },
     [](void*) {}, [](void*, uint32_t, hector_call* call) { hector_call_done(call); }, nullptr,
     nullptr},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

}  // namespace

extern "C" __attribute__((visibility("default"))) const hector_template* hector_template_v1(void) {
  return reinterpret_cast<const hector_template*>(&described);
}
