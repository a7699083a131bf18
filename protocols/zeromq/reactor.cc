#include "reactor.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "hector/check.h"
#include "socket_address.h"

namespace hector::zeromq {

namespace {

/// Messages of one socket before the others have their turn.
constexpr std::size_t kAtOnceMax = 256;
/// Messages that wait in a socket, each way: ten times ZeroMQ's default, for bursts of events.
constexpr int kLimit = 10'000;
constexpr std::int64_t kMessageOctetsMax = 16LL * 1024 * 1024;  // as every protocol of Hector's
/// Without a timer the thread wakes this often; a task wakes it at once.
constexpr auto kSleepMax = std::chrono::seconds(60);
/// More than any task takes: a handler that hangs is reported, not waited for.
constexpr auto kAnswerTimeout = std::chrono::seconds(10);

Frames receive(zmq::socket_t& socket) {
  Frames frames;
  zmq::message_t part;
  bool more = true;
  while (more &&
         socket.recv(part, frames.empty() ? zmq::recv_flags::dontwait : zmq::recv_flags::none)) {
    more = part.more();
    if (frames.size() <= kFramesMax)
      frames.emplace_back(static_cast<const char*>(part.data()), part.size());
  }
  return frames;
}

}  // namespace

Reactor::Reactor() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_ = Thread("zeromq", [this] { run(); });
}

void Reactor::check_on_thread() const {
  HECTOR_CHECK(id_.load(std::memory_order_relaxed) == std::this_thread::get_id(),
               "a ZeroMQ socket is used off its thread");
}

void Reactor::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_stopped_, true)) return;
  }
  HECTOR_CHECK(id_.load() != std::this_thread::get_id(), "a reactor cannot wait for its own end");
  wake();
  thread_.join();
  tasks_.clear();
  timers_.clear();
  sockets_.clear();
  closed_.clear();
  context_.close();
  ::close(wake_);
}

void Reactor::wake() {
  const std::uint64_t one = 1;
  // It fails only where 2^64 wake-ups are unread.
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

bool Reactor::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return false;
  tasks_.push_back(std::move(task));
  // Its own thread looks for tasks before it sleeps.
  if (tasks_.size() == 1 && id_.load() != std::this_thread::get_id()) wake();
  return true;
}

Result<Reactor::Socket*> Reactor::open(zmq::socket_type type, How how, const std::string& address,
                                       OnMessage on_message,
                                       const std::function<void(zmq::socket_t&)>& set) {
  check_on_thread();
  HECTOR_TRY(check_socket_address(address));
  try {
    auto made =
        std::make_unique<Socket>(Socket{zmq::socket_t(context_, type), std::move(on_message)});
    made->socket.set(zmq::sockopt::linger, 0);
    made->socket.set(zmq::sockopt::sndhwm, kLimit);
    made->socket.set(zmq::sockopt::rcvhwm, kLimit);
    made->socket.set(zmq::sockopt::maxmsgsize, kMessageOctetsMax);
    if (set) set(made->socket);
    if (how == How::kBind)
      made->socket.bind(address);
    else
      made->socket.connect(address);
    return sockets_.emplace_back(std::move(made)).get();
  } catch (const zmq::error_t& error) {
    return fail(error.num() == EADDRINUSE ? Code::kAlreadyExists : Code::kInvalidArgument,
                fmt::format("ZeroMQ cannot {} '{}': {}", how == How::kBind ? "bind" : "connect to",
                            address, error.what()));
  }
}
void Reactor::close(Socket* socket) {
  check_on_thread();
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const auto& each) { return each.get() == socket; });
  if (found == sockets_.end()) return;
  (*found)->is_closed = true;
  closed_.push_back(std::move(*found));
  sockets_.erase(found);
}

bool Reactor::send(Socket& socket, const Frames& frames) {
  HECTOR_CHECK(socket.thread == std::this_thread::get_id(),
               "a ZeroMQ socket is used off its thread");
  try {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto flags = i + 1 < frames.size()
                             ? zmq::send_flags::sndmore | zmq::send_flags::dontwait
                             : zmq::send_flags::dontwait;
      if (!socket.socket.send(zmq::buffer(frames[i]), flags)) return false;
    }
    return true;
  } catch (const zmq::error_t&) {
    return false;
  }
}

void Reactor::every(Duration period, std::function<void()> task) {
  HECTOR_CHECK(period > Duration::zero(), "a timer without a period leaves no time for messages");
  check_on_thread();
  timers_.push_back({period, std::chrono::steady_clock::now() + period, std::move(task)});
}

bool Reactor::has_tasks() {
  const std::lock_guard lock(mutex_);
  return !tasks_.empty();
}

void Reactor::run() {
  id_ = std::this_thread::get_id();
  while (run_tasks()) {
    const auto next = run_timers();
    closed_.clear();
    poll(next);
  }
}

bool Reactor::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return false;
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
  return true;
}

std::chrono::steady_clock::time_point Reactor::run_timers() {
  const auto now = std::chrono::steady_clock::now();
  auto next = now + kSleepMax;
  for (std::size_t i = 0; i < timers_.size(); ++i) {  // a task may add timers
    if (timers_[i].due <= now) {
      timers_[i].due = now + timers_[i].period;
      const auto task = timers_[i].task;
      task();
    }
    next = std::min<std::chrono::steady_clock::time_point>(next, timers_[i].due);
  }
  return next;
}

void Reactor::poll(std::chrono::steady_clock::time_point until) {
  items_.assign(1, {nullptr, wake_, ZMQ_POLLIN, 0});
  polled_.assign(1, nullptr);
  for (const auto& each : sockets_) {
    if (!each->on_message) continue;
    items_.push_back({each->socket.handle(), 0, ZMQ_POLLIN, 0});
    polled_.push_back(each.get());
  }
  HECTOR_CHECK(items_.size() == polled_.size(), "what is polled is not what is handled");
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
                        until - std::chrono::steady_clock::now()) +
                    std::chrono::milliseconds(1);
  zmq_poll(items_.data(), static_cast<int>(items_.size()),
           has_tasks() ? 0 : std::max<long>(0, wait.count()));
  std::uint64_t count = 0;
  if (items_[0].revents != 0) {
    [[maybe_unused]] const ssize_t read = ::read(wake_, &count, sizeof count);
  }
  for (std::size_t i = 1; i < items_.size(); ++i) {
    if (items_[i].revents != 0) handle_messages(*polled_[i]);
  }
}

/// A socket that a handler closes stays in closed_ until all handlers have returned.
void Reactor::handle_messages(Socket& socket) {
  for (std::size_t k = 0; k < kAtOnceMax && !socket.is_closed; ++k) {
    Frames frames = receive(socket.socket);
    if (frames.empty()) return;
    socket.on_message(std::move(frames));
  }
}

Status on_reactor(Reactor& reactor, std::function<Status()> task) {
  auto done = std::make_shared<std::promise<Status>>();
  auto said = done->get_future();
  if (!reactor.post([task = std::move(task), done] { done->set_value(task()); }))
    return fail(Error::unavailable("ZeroMQ's thread is stopped"));
  if (said.wait_for(kAnswerTimeout) != std::future_status::ready)
    return fail(Error::unavailable("ZeroMQ's thread has not answered for 10 s"));
  return said.get();
}

}  // namespace hector::zeromq
