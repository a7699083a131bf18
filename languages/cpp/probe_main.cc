// What: hector-probe PATH, which loads the shared object in descriptor 3 and writes an octet to
// descriptor 4 when that has been survived.
// Why: see probe.h.
// Who: the cpp language starts one for each new build of a template.
#include <dlfcn.h>
#include <unistd.h>

#include "hector/hector.h"
#include "hector/message_files.h"
#include "open_library.h"

int main(int, char** arguments) {
  constexpr int kFile = 3, kPipe = 4;  ///< descriptors that probe.cc leaves open
  const hector::MessageFiles files(arguments[1]);
  if (const auto library = hector::cpp_language::open_library(kFile, arguments[1])) {
    using Entry = const hector_template* (*)();
    const auto entry = reinterpret_cast<Entry>(dlsym(*library, "hector_template_v1"));
    if (entry != nullptr) static_cast<void>(entry());
  }
  static_cast<void>(!write(kPipe, "", 1));
  _exit(0);
}
