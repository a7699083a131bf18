// What: Broker, the Majordomo broker: 7/MDP and 18/MDP in one, with 8/MMI.
// Why: ROC's objects are services of a broker; a site that has none uses this one, which answers
// every case that the RFC specifies.
// Who: the broker's Endpoint; it owns no socket, so tests and the fuzz target drive it by hand.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <unordered_map>

#include "frames.h"
#include "hector/clock.h"

namespace hector::zeromq {

struct BrokerOptions {
  Duration heartbeat = std::chrono::milliseconds(2'500);  ///< ROC's and majortomo's
  int liveness = 3;                                       ///< silent for so many heartbeats: dead
  Duration request_expires = std::chrono::seconds(60);    ///< without a worker
  /// Requests that wait for one service; more are dropped.
  std::size_t queue_max = 10'000;
  std::size_t services_max = 100'000;
};
struct BrokerCounters {
  std::uint64_t malformed = 0, dropped = 0, expired = 0, resent = 0, disconnected = 0;
};

/// One thread at a time.
class Broker {
 public:
  using Send = std::function<void(const std::string& address, const Frames& frames)>;
  /// A service has its first worker, or has lost its last.
  using Changed = std::function<void(const std::string& service, bool is_there)>;
  Broker(BrokerOptions options, Send send, Changed changed = {})
      : options_(options), send_(std::move(send)), changed_(std::move(changed)) {}
  /// Handles a message from an address.
  void receive(const std::string& address, const Frames& frames, TimePoint now);
  /// Sends heartbeats and ends dead workers; call it at due() at the latest.
  void tick(TimePoint now);
  [[nodiscard]] TimePoint due() const { return due_; }
  [[nodiscard]] const BrokerCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t workers(const std::string& service) const;

 private:
  struct Request {
    std::string client;
    int version = 1;  ///< the client's, as what is next
    bool is_delimited = true;
    char first_command = 1;
    Frames body;
    TimePoint arrived;
  };
  struct Worker {
    std::string address, service;
    int version = 1;
    bool is_delimited = true;
    TimePoint expires;
    std::optional<Request> request;
  };
  struct Service {
    std::deque<Request> requests;
    std::deque<Worker*> idle;  ///< the one that has waited longest first
    std::size_t workers = 0;
  };
  void of_client(const std::string& address, MdpMessage message, TimePoint now);
  void of_worker(const std::string& address, MdpMessage message, TimePoint now);
  void reply_of(Worker& worker, MdpMessage message);
  void management(const std::string& address, const MdpMessage& message);
  void dispatch(const std::string& name, TimePoint now);
  enum class Told { kYes, kNo };
  void end(const std::string& address, Told told, TimePoint now);
  void disconnect(const std::string& address, int version, bool is_delimited);
  void forget_if_unused(const std::string& name);
  void make_worker(const std::string& address, const MdpMessage& ready, TimePoint now);
  void check(const Service& service) const;

  const BrokerOptions options_;
  const Send send_;
  const Changed changed_;
  std::unordered_map<std::string, Worker> workers_;
  std::unordered_map<std::string, Service> services_;
  BrokerCounters counters_;
  TimePoint due_;
};

}  // namespace hector::zeromq
