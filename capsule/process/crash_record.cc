#include "process/crash_record.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "hector/kernel.h"

namespace hector {

namespace {

/// Longer names are cut: nothing may be allocated here.
constexpr std::size_t kRecordOctets = 1'024;

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV (a pointer to nowhere, or the stack is used up)";
    case SIGBUS:
      return "SIGBUS (memory behind a file that is gone)";
    case SIGILL:
      return "SIGILL (no instruction of this processor)";
    case SIGFPE:
      return "SIGFPE (a division by zero)";
    default:
      return "SIGABRT (an assertion, or an exception that nobody caught)";
  }
}

/// Runs with the signal's default action set already: SA_RESETHAND. Async-signal-safe.
void record(int signal) {
  char text[kRecordOctets];
  std::size_t size = 0;
  const auto add = [&](const char* part) {
    const std::size_t left = sizeof text - size;
    const std::size_t taken = std::min(left, std::strlen(part));
    std::memcpy(text + size, part, taken);
    size += taken;
  };
  add("hector-capsule: ended by ");
  add(name_of(signal));
  add(" ");
  size += describe_this_thread(text + size, sizeof text - size - 1);
  text[size++] = '\n';
  static_cast<void>(!write(STDERR_FILENO, text, size));
  raise(signal);
}

}  // namespace

void install_crash_record() {
  struct sigaction action {};
  action.sa_handler = record;
  action.sa_flags = SA_RESETHAND | SA_NODEFER | SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
    sigaction(signal, &action, nullptr);
}

}  // namespace hector
