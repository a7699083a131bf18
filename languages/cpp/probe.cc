#include "probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

#include "hector/descriptor.h"

namespace hector::cpp_language {

namespace {

/// Static constructors that take longer would hold up the capsule too.
constexpr std::chrono::seconds kWithin{5};
/// The numbers of the library and of the pipe in the probe.
constexpr int kFileThere = 3, kPipeThere = 4;

Error no_process(const std::string& path, int why) {
  return Error::unavailable(fmt::format("template {} cannot be tried in a process of its own: {}",
                                        path, std::strerror(why)));
}

/// -1: with errno.
pid_t start(const std::string& probe, const std::string& path, int file, int pipe) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  // By way of high numbers: one of them may be where the other goes.
  constexpr int kAway = 1'000;
  posix_spawn_file_actions_adddup2(&actions, file, kAway);
  posix_spawn_file_actions_adddup2(&actions, pipe, kAway + 1);
  posix_spawn_file_actions_adddup2(&actions, kAway, kFileThere);
  posix_spawn_file_actions_adddup2(&actions, kAway + 1, kPipeThere);
  posix_spawn_file_actions_addclose(&actions, kAway);
  posix_spawn_file_actions_addclose(&actions, kAway + 1);
  posix_spawnattr_t attributes;  // signals as in a new process
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string program = probe, name = path;
  std::array<char*, 3> arguments{program.data(), name.data(), nullptr};
  pid_t process = -1;
  errno = posix_spawn(&process, probe.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return errno == 0 ? process : -1;
}

enum class Probed { kFine, kEnded, kSilent };

/// The probe writes an octet when the library is loaded, or was refused; its end without one tells
/// of the library's code.
Probed wait_for(int pipe) {
  pollfd waited{pipe, POLLIN, 0};
  constexpr auto kMilliseconds = std::chrono::milliseconds(kWithin).count();
  if (poll(&waited, 1, static_cast<int>(kMilliseconds)) <= 0) return Probed::kSilent;
  char octet = 0;
  return read(pipe, &octet, 1) == 1 ? Probed::kFine : Probed::kEnded;
}

std::string what_happened(pid_t process, Probed probed) {
  if (probed == Probed::kSilent) kill(process, SIGKILL);
  int status = 0;
  waitpid(process, &status, 0);
  if (probed == Probed::kSilent) return fmt::format("it has not ended after {} s", kWithin.count());
  if (WIFSIGNALED(status)) return fmt::format("it ends by SIG{}", sigabbrev_np(WTERMSIG(status)));
  return fmt::format("it calls exit({})", WEXITSTATUS(status));
}

}  // namespace

Status try_in_a_process(const std::string& probe, int file, const std::string& path) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail(no_process(path, errno));
  const Descriptor here(ends[0]);
  Descriptor there(ends[1]);
  const pid_t process = start(probe, path, file, there.get());
  if (process < 0) return fail(no_process(path, errno));
  there.reset();
  const Probed probed = wait_for(here.get());
  const std::string happened = what_happened(process, probed);
  if (probed == Probed::kFine) return {};
  return fail(Error::invalid_argument(
      fmt::format("template {} is not loaded: what it runs while it is loaded (initialisers of "
                  "static objects, hector_template_v1) would end or hold the capsule: {}; it was "
                  "tried in a process of its own",
                  path, happened)));
}

}  // namespace hector::cpp_language
