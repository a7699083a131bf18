// What: hector-capsule, the process: reads the configuration, starts the capsule, serves until
// SIGTERM. Why: a capsule is a process. Who: people, `hector capsule run`, node managers later.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstring>
#include <ctime>

#include "process/capsule_process.h"
#include "process/crash_record.h"
#include "process/heap_trim.h"
#include "process/standard_files.h"

namespace {

using namespace hector;

constexpr int kExitOk = 0, kExitFailed = 1, kExitUsage = 2;

int report(const Error& error) {
  fmt::print(stderr, "hector-capsule: {}\n", error.text());
  return error.code == Code::kInvalidArgument ? kExitUsage : kExitFailed;
}

void serve(CapsuleProcess& process) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  process.log().write(Level::kInfo, "ready", {{"capsule", process.configuration().capsule}});
  int signal = 0;
  HeapTrim memory;
  const timespec every{HeapTrim::kEvery.count(), 0};
  while ((signal = sigtimedwait(&signals, nullptr, &every)) < 0) memory.look();
  process.log().write(Level::kInfo, "draining", {{"signal", sigabbrev_np(signal)}});
  process.stop();
  process.log().write(Level::kInfo, "stopped", {});
}

int run(const std::string& file) {
  auto configuration = read_configuration(file, program_prefix());
  if (!configuration) return report(configuration.error());
  CapsuleProcess process(std::move(*configuration), plugin_paths());
  if (auto started = process.start(); !started) return report(started.error());
  serve(process);
  return kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_files();
  install_crash_record();
  CLI::App app{
      "A Hector capsule: hosts Objects, speaks protocols, gives services. Stops cleanly on "
      "SIGTERM."};
  std::string file;
  app.add_option("configuration", file, "the capsule's YAML file, as in etc/")->required();
  CLI11_PARSE(app, argc, argv);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);  // its terminal is gone: it ends in order
  sigaddset(&signals, SIGPIPE);
  sigaddset(&signals, SIGUSR1);  // mean nothing to a capsule, and shall not end it
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // every thread: only serve() takes them
  return run(file);
}
