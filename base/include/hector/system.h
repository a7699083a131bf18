// What: the real clock, randomness, executor, network and log.
// Why: they come into the kernel from outside; programs take these, tests take simulated ones.
// Who: the composition roots: the capsule, the command line, tests.
#pragma once

#include <memory>
#include <string>

#include "hector/clock.h"
#include "hector/executor.h"
#include "hector/log.h"
#include "hector/network.h"

namespace hector {

std::unique_ptr<Clock> make_system_clock();
/// From the operating system's generator.
std::unique_ptr<Random> make_system_random();

/// Event loops on threads of their own. Destroying it drops what has not run.
class EventLoops : public Executor {
 public:
  /// Ends the threads; tasks that have not run are dropped.
  virtual void stop() = 0;
};
std::unique_ptr<EventLoops> make_event_loops(unsigned threads);

/// The datagrams of this machine, UDP. One thread for sockets whose reading may move, one for each
/// other socket, started when first needed.
std::unique_ptr<Network> make_system_network(const Clock& clock, Log& log);

enum class LogFormat { kText, kJson };
class SystemLog : public Log {
 public:
  /// Records below it are dropped from now on. Any thread.
  virtual void set_level(Level least) noexcept = 0;
};
/// To standard error.
std::unique_ptr<SystemLog> make_log(LogFormat format, Level least, const std::string& capsule);

}  // namespace hector
