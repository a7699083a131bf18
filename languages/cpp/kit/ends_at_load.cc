// What: a template whose static object, or whose entry, ends or holds the process.
// Why: loading it may not end a capsule.
// Who: cpp_language_test.
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "hector/hector.h"

namespace {

void end_by(std::string_view how) {
  if (how != HOW) return;
  if (how == "segv") static_cast<void>(raise(SIGSEGV));
  if (how == "exit") std::exit(3);
  for (volatile bool is_for_ever = how == "spin"; is_for_ever;) continue;
  std::abort();
}

struct AtLoad {
  AtLoad() {
    for (const char* how : {"segv", "abort", "exit", "spin"}) end_by(how);
  }
};
const AtLoad at_load;

}  // namespace

extern "C" __attribute__((visibility("default"))) const hector_template* hector_template_v1(void) {
  end_by("entry");
  return nullptr;
}
