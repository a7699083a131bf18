#include "reactor.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <future>

namespace hector::zeromq {

namespace {

constexpr std::size_t kAtOnceMax =
    256;                        ///< messages of one socket before the others have their turn
constexpr int kLimit = 10'000;  ///< messages that wait in a socket, each way
constexpr std::int64_t kMessageOctetsMax = 16LL * 1024 * 1024;

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

void Reactor::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_stopped_, true)) return;
  }
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
  static_cast<void>(!::write(wake_, &one, sizeof one));
}
void Reactor::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return;
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1 && !thread_.is_here()) wake();  // its own thread looks before it sleeps
}

Result<Reactor::Socket*> Reactor::open(zmq::socket_type type, How how, const std::string& address,
                                       OnMessage on_message,
                                       const std::function<void(zmq::socket_t&)>& set) {
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
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const auto& each) { return each.get() == socket; });
  if (found == sockets_.end()) return;
  (*found)->is_closed = true;
  closed_.push_back(std::move(*found));
  sockets_.erase(found);
}

bool Reactor::send(Socket& socket, const Frames& frames) {
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
  timers_.push_back({period, std::chrono::steady_clock::now() + period, std::move(task)});
}

bool Reactor::has_tasks() {
  const std::lock_guard lock(mutex_);
  return !tasks_.empty();
}

void Reactor::run() {
  std::vector<zmq::pollitem_t> items;
  std::vector<Socket*> polled;
  for (;;) {
    std::vector<std::function<void()>> tasks;
    {
      const std::lock_guard lock(mutex_);
      if (is_stopped_) return;
      tasks.swap(tasks_);
    }
    for (auto& task : tasks) task();
    auto now = std::chrono::steady_clock::now();
    auto next = now + std::chrono::seconds(60);
    for (std::size_t i = 0; i < timers_.size(); ++i) {
      if (timers_[i].due <= now) {
        timers_[i].due = now + timers_[i].period;
        const auto task = timers_[i].task;
        task();
      }
      next = std::min(next, timers_[i].due);
    }
    closed_.clear();
    items.assign(1, {nullptr, wake_, ZMQ_POLLIN, 0});
    polled.assign(1, nullptr);
    for (const auto& each : sockets_) {
      if (!each->on_message) continue;
      items.push_back({each->socket.handle(), 0, ZMQ_POLLIN, 0});
      polled.push_back(each.get());
    }
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
                          next - std::chrono::steady_clock::now()) +
                      std::chrono::milliseconds(1);
    zmq_poll(items.data(), static_cast<int>(items.size()),
             has_tasks() ? 0 : std::max<long>(0, wait.count()));
    std::uint64_t count = 0;
    if (items[0].revents != 0) static_cast<void>(!::read(wake_, &count, sizeof count));
    for (std::size_t i = 1; i < items.size(); ++i) {
      if (items[i].revents == 0) continue;
      for (std::size_t k = 0; k < kAtOnceMax && !polled[i]->is_closed; ++k) {
        Frames frames = receive(polled[i]->socket);
        if (frames.empty()) break;
        polled[i]->on_message(std::move(frames));
      }
    }
  }
}

Status on_reactor(Reactor& reactor, std::function<Status()> task) {
  auto done = std::make_shared<std::promise<Status>>();
  auto said = done->get_future();
  reactor.post([task = std::move(task), done] { done->set_value(task()); });
  if (said.wait_for(std::chrono::seconds(10)) != std::future_status::ready)
    return fail(Code::kUnavailable, "ZeroMQ's thread does not answer");
  return said.get();
}

}  // namespace hector::zeromq
