// What: hector-capsule, the process: reads the configuration, starts the capsule, serves until
// SIGTERM. Why: a capsule is a process. Who: people, `hector capsule run`, node managers later.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/system/system_error.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <future>
#include <initializer_list>
#include <new>
#include <system_error>

#include "hector/thread.h"
#include "process/capsule_process.h"
#include "process/crash_record.h"
#include "process/end_watch.h"
#include "process/heap_trim.h"
#include "process/standard_files.h"

namespace {

using namespace hector;

/// As shells and service managers have them.
constexpr int kExitOk = 0, kExitFailed = 1, kExitUsage = 2;

int report(const Error& error) {
  // fmt::print() throws where it cannot write, as on a full disk.
  std::fputs(fmt::format("hector-capsule: {}\n", error.text()).c_str(), stderr);
  return error.code == Code::kInvalidArgument ? kExitUsage : kExitFailed;
}

Error exhausted(const std::string& what) {
  return Error::resource_exhausted(
      fmt::format("the capsule cannot start: {}; raise the limits of the process (`ulimit -n`, "
                  "`-u`, `-v`)",
                  what));
}

/// For closing connections and files, after the grace that calls have.
constexpr Duration kAfterGrace = std::chrono::seconds(2);
/// For ending threads, after everything is closed.
constexpr Duration kThreadsEnd = std::chrono::seconds(1);

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

/// A process that was started from a terminal gets SIGHUP when that is closed; open(2) says ENXIO
/// then (tty(4)).
class Terminal {
 public:
  [[nodiscard]] bool is_closed() const { return was_there_ && !is_there(); }

 private:
  static bool is_there() {
    const int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0) close(terminal);
    return terminal >= 0;
  }
  const bool was_there_ = is_there();
};

void reload(CapsuleProcess& process, const std::string& file) {
  const auto configuration = read_configuration(file, program_prefix());
  if (configuration) return process.reload(*configuration);
  process.log().write(Level::kError, "not reloaded: everything stays as it is",
                      {{"error", configuration.error().text()}});
}

/// Until a signal ends it; which one.
int wait_for_end(CapsuleProcess& process, const std::string& file, const sigset_t& signals) {
  const Terminal terminal;
  HeapTrim memory;
  const timespec every{HeapTrim::kEvery.count(), 0};
  for (;;) {
    const int signal = sigtimedwait(&signals, nullptr, &every);
    if (signal < 0) {
      memory.look();
      process.look();
    } else if (signal != SIGHUP || terminal.is_closed()) {
      return signal;
    } else {
      reload(process, file);
    }
  }
}

/// While a capsule starts it may wait for others: SIGTERM ends it there and then. Nothing has been
/// promised to anybody yet, and stores are safe against a process that is killed.
class StartWatch {
 public:
  explicit StartWatch(Log& log) : log_(log) {}
  ~StartWatch() {
    is_started_ = true;
    pthread_kill(native_, SIGUSR1);
  }
  StartWatch(const StartWatch&) = delete;
  StartWatch& operator=(const StartWatch&) = delete;

 private:
  void watch() {
    const sigset_t ends = set_of({SIGTERM, SIGINT, SIGUSR1});
    int signal = 0;
    while (!is_started_ && sigwait(&ends, &signal) == 0) {
      if (signal == SIGUSR1) continue;
      log_.write(Level::kInfo, "ended while it was starting", {{"signal", sigabbrev_np(signal)}});
      pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
      raise(signal);
    }
  }

  Log& log_;
  std::atomic<bool> is_started_{false};
  std::promise<pthread_t> started_;
  Thread thread_{"start watch", [this] {
                   started_.set_value(pthread_self());
                   watch();
                 }};
  const pthread_t native_ = started_.get_future().get();
};

void serve(CapsuleProcess& process, const std::string& file, EndWatch& end) {
  const sigset_t signals = set_of({SIGTERM, SIGINT, SIGHUP});
  process.log().write(Level::kInfo, "ready", {{"capsule", process.configuration().capsule}});
  const int signal = wait_for_end(process, file, signals);
  process.log().write(Level::kInfo, "draining", {{"signal", sigabbrev_np(signal)}});
  end.within(process.configuration().drain_grace + kAfterGrace);
  process.stop();
  end.within(kThreadsEnd);
  process.log().write(Level::kInfo, "stopped", {});
}

int run(const std::string& file) try {
  auto configuration = read_configuration(file, program_prefix());
  if (!configuration) return report(configuration.error());
  const auto log =
      make_log(configuration->log_format, configuration->log_level, configuration->capsule);
  EndWatch end(*log, [] { syscall(SYS_exit_group, kExitOk); });  // _exit() is refused in threads
  CapsuleProcess process(std::move(*configuration), plugin_paths());
  Status started;
  {
    const StartWatch watch(process.log());
    started = process.start();
  }
  if (!started) return report(started.error());
  serve(process, file, end);
  return kExitOk;
} catch (const std::system_error& error) {
  return report(exhausted(error.code().message()));
} catch (const boost::system::system_error& error) {
  return report(exhausted(error.code().message()));
} catch (const std::bad_alloc&) {
  return report(Error::resource_exhausted("the capsule has no memory left; raise `ulimit -v`"));
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_files();
  install_crash_record();
  CLI::App app{
      "A Hector capsule: hosts Objects, speaks protocols, gives services. SIGTERM ends it in "
      "order; SIGHUP reads the configuration again."};
  std::string file;
  app.add_option("configuration", file, "the capsule's YAML file, as in etc/")->required();
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGXFSZ, SIG_IGN);  // who writes beyond a file's limit gets the error
  // In every thread: serve() takes some, the others mean nothing to a capsule and do not end it.
  const sigset_t signals = set_of({SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2});
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return run(file);
}
