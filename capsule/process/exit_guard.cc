// What: exit(), _exit(), _Exit() and quick_exit() as code inside a capsule finds them.
// Why: an Object that calls one of them would end every Object of the capsule; its own call fails
// instead, and the capsule goes on.
// Who: hector-capsule; the dynamic linker gives these to everything that is loaded into it.
#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "hector/kernel.h"

namespace {

constexpr std::size_t kRecordOctets = 1'024;  ///< a path and a line; longer ones are cut

/// The process's first thread ends it: main() has returned, or a child of fork() is at its end.
bool is_first_thread() { return gettid() == getpid(); }

/// None of these functions returns, and C++ code takes them for functions that do not throw: all
/// that is left to the thread is to stay.
[[noreturn]] void stay() {
  for (;;) pause();
}

[[noreturn]] void refuse(const char* function, int status) {
  const std::string what = fmt::format("{}({})", function, status);
  char where[kRecordOctets];
  const std::size_t size = hector::describe_this_thread(where, sizeof where);
  const std::string line = fmt::format(
      "hector-capsule: {} refused, {}: code in a capsule does not end it; this thread is stopped "
      "for good\n",
      what, std::string_view(where, size));
  std::fputs(line.c_str(), stderr);  // fmt::print() throws where it cannot write
  static_cast<void>(hector::fail_call_of_this_thread(hector::Error::internal(fmt::format(
      "the Object called {}, which would end the capsule: refused; the Object's thread is stopped, "
      "and the Object answers no more; end an operation by returning or by throwing",
      what))));
  stay();
}

[[noreturn]] void end(const char* function, int status) {
  if (!is_first_thread()) refuse(function, status);
  const auto real = reinterpret_cast<void (*)(int)>(dlsym(RTLD_NEXT, function));
  real(status);
  std::abort();  // not reached
}

}  // namespace

extern "C" {
[[gnu::visibility("default")]] void exit(int status) noexcept { end("exit", status); }
[[gnu::visibility("default")]] void _exit(int status) { end("_exit", status); }
[[gnu::visibility("default")]] void _Exit(int status) noexcept { end("_Exit", status); }
[[gnu::visibility("default")]] void quick_exit(int status) noexcept { end("quick_exit", status); }
}
