// What: Reactor, the one thread that touches ZeroMQ's sockets.
// Why: a socket belongs to one thread; other threads post their tasks to it. Between messages it
// sleeps.
// Who: the broker, ROC nodes, Hermes.
#pragma once

#include <atomic>
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
  /// Any thread. False after stop(): the task will not run.
  bool post(std::function<void()> task);

  // The rest on the reactor's thread only.
  struct Socket {
    zmq::socket_t socket;
    OnMessage on_message;
    bool is_closed = false;  ///< its handler may still be running
    std::thread::id thread = std::this_thread::get_id();
  };
  /// INVALID_ARGUMENT; ALREADY_EXISTS for an address that is in use. `set` sets options before it
  /// is bound or connected.
  enum class How { kBind, kConnect };
  Result<Socket*> open(zmq::socket_type type, How how, const std::string& address,
                       OnMessage on_message, const std::function<void(zmq::socket_t&)>& set = {});
  void close(Socket* socket);
  /// False: dropped, because the socket's queue is full or no peer is connected.
  static bool send(Socket& socket, const Frames& frames);
  void every(Duration period, std::function<void()> task);

 private:
  void check_on_thread() const;
  void run();
  /// Runs what was posted. False after stop().
  bool run_tasks();
  /// Runs the timers that are due, and says when the next one is.
  std::chrono::steady_clock::time_point run_timers();
  /// Sleeps until a message, a task or the time comes, and handles the messages.
  void poll(std::chrono::steady_clock::time_point until);
  void handle_messages(Socket& socket);
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
  // poll()'s, whose memory is used again: what is polled, and the socket of each.
  std::vector<zmq::pollitem_t> items_;
  std::vector<Socket*> polled_;
  std::atomic<std::thread::id> id_{};  ///< of the thread, once it runs
  Thread thread_;
};

/// Runs a task on the reactor's thread and waits for its result. UNAVAILABLE after 10 s, or if the
/// reactor is stopped. Not on the reactor's own thread.
Status on_reactor(Reactor& reactor, std::function<Status()> task);

}  // namespace hector::zeromq
