// What: Reactor, the one thread that touches ZeroMQ's sockets.
// Why: a socket belongs to one thread; what others want done is posted. Between messages it sleeps.
// Who: Roc, Hermes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "frames.h"
#include "hector/clock.h"
#include "hector/result.h"
#include "hector/thread.h"

namespace hector::zeromq {

class Reactor {
 public:
  /// Runs on the reactor's thread.
  using OnMessage = std::function<void(Frames frames)>;
  Reactor();
  ~Reactor() { stop(); }
  /// Ends the thread and closes every socket. Any thread but its own; idempotent.
  void stop();
  /// Any thread. Nothing runs after stop().
  void post(std::function<void()> task);

  // On the reactor's thread, or before anything is posted:
  struct Socket {
    zmq::socket_t socket;
    OnMessage on_message;
    bool is_closed = false;  ///< its handler may be running still
  };
  /// INVALID_ARGUMENT; ALREADY_EXISTS for an address that is in use. `set` sets options before it
  /// is bound or connected.
  enum class How { kBind, kConnect };
  Result<Socket*> open(zmq::socket_type type, How how, const std::string& address,
                       OnMessage on_message, const std::function<void(zmq::socket_t&)>& set = {});
  void close(Socket* socket);
  /// False: nobody takes it now (its limit is reached, or nobody is there).
  static bool send(Socket& socket, const Frames& frames);
  void every(Duration period, std::function<void()> task);

 private:
  void run();
  bool has_tasks();
  void wake();
  zmq::context_t context_{1};
  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  bool is_stopped_ = false;
  int wake_ = -1;  ///< an eventfd
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Socket>> closed_;
  struct Timer {
    Duration period;
    std::chrono::steady_clock::time_point due;
    std::function<void()> task;
  };
  std::vector<Timer> timers_;
  Thread thread_;
};

/// Runs a task there and waits for what it says.
Status on_reactor(Reactor& reactor, std::function<Status()> task);

}  // namespace hector::zeromq
