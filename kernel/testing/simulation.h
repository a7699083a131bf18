// What: Simulation, a world of capsules on a simulated clock and network, in one thread, by seed.
// Why: loss, delay, duplication, reordering and partitions on demand, and the same run again from
// its seed.
// Who: tests of the kernel and of protocols.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "hector/clock.h"
#include "hector/executor.h"
#include "hector/log.h"
#include "hector/network.h"

namespace hector::testing {

struct NetworkRules {
  double loss = 0;         ///< share of datagrams that vanish
  double duplication = 0;  ///< share that arrives twice
  Duration delay_min = std::chrono::microseconds(50);
  Duration delay_max =
      std::chrono::microseconds(200);  ///< above delay_min: datagrams overtake each other
};

/// Not for several threads. Everything happens inside step(): tasks, timers and datagrams, in the
/// order of their times.
class Simulation final : public Clock, public Executor, public Random, public Log {
 public:
  explicit Simulation(std::uint64_t seed) : state_(seed * 2 + 1), seed_(seed) {}

  NetworkRules rules;
  /// Datagrams between these two hosts vanish.
  void cut(const std::string& host_a, const std::string& host_b) {
    cuts_.insert(std::minmax(host_a, host_b));
  }
  void heal() { cuts_.clear(); }

  /// A network as one host sees it; `host` is an IPv4 address.
  std::unique_ptr<Network> host(const std::string& host);

  /// Lets the next thing happen; false if nothing is left to happen.
  bool step();
  /// Until the time is over or nothing is left.
  void run_for(Duration time);
  /// Until it holds, at most so long. False if it never did.
  bool run_until(const std::function<bool()>& holds, Duration at_most);

  /// Of all that happened so far: equal seeds give equal hashes.
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::uint64_t datagrams() const { return datagrams_; }

  // Clock
  TimePoint now() const noexcept override { return now_; }
  std::chrono::system_clock::time_point wall() const noexcept override;
  // Random
  std::uint64_t next() noexcept override;
  // Executor
  void post(Task task) override { at(now_, std::move(task)); }
  TimerId at(TimePoint when, Task task) override;
  bool cancel(TimerId timer) override;
  bool help(TimePoint until) override { return now_ < until && step(); }
  [[nodiscard]] bool is_alone() const noexcept override { return true; }
  // Log
  void write(Level, std::string_view, std::initializer_list<Field>) noexcept override {}

 private:
  class Host;
  class Socket;
  friend class Socket;
  bool send(const NetworkAddress& from, const NetworkAddress& to, std::vector<std::uint8_t> octets);
  void deliver(const NetworkAddress& from, const NetworkAddress& to,
               const std::vector<std::uint8_t>& octets);
  double chance() { return static_cast<double>(next() >> 11) / 9007199254740992.0; }
  void trace(std::uint64_t value) noexcept { trace_ = (trace_ ^ value) * 0x100000001b3ULL; }

  std::uint64_t state_, seed_;
  TimePoint now_{std::chrono::hours(1)};
  TimerId last_ = 0;
  std::map<std::pair<TimePoint, TimerId>, Task> events_;
  std::map<TimerId, TimePoint> when_;
  std::map<std::string, Socket*> sockets_;  ///< by address
  std::map<std::string, std::set<Socket*>> groups_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::uint16_t next_port_ = 40'000;
  std::uint64_t trace_ = 0xcbf29ce484222325ULL;
  std::uint64_t datagrams_ = 0;
};

}  // namespace hector::testing
