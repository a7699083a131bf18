// What: UDP sockets of this machine, and the thread that reads them while no thread waits on them.
// Why: a thread that waits for an answer reads its socket itself: a wake-up across threads costs
// ten times the round trip (docs/performance.md).
// Who: make_system_network(), called by composition
// roots.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

#include "base/parker.h"
#include "hector/check.h"
#include "hector/system.h"
#include "hector/thread.h"

namespace hector {

namespace {

/// No UDP datagram is larger: its length field has 16 bits.
constexpr std::size_t kDatagramOctetsMax = 65'536;
/// What a socket holds while its reader is busy: 64 of the largest datagrams.
constexpr int kSocketBufferOctets = 4 * 1024 * 1024;
/// What send() gathers in one datagram: a header, a fragment's header, a payload, and room.
constexpr std::size_t kPartsMax = 8;
/// How often a thread that waits in the system looks at its deadline.
constexpr timeval kReceiveTimeout{0, 5'000};
/// How long a socket that a waiting thread has just left stays without a reader; the next call
/// usually comes sooner.
constexpr int kCoolingMs = 1;

/// An address as the system has it: sockets of IPv4 addresses are IPv4 sockets, which the system
/// handles faster than mapped ones.
union SystemAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;

  SystemAddress() { std::memset(this, 0, sizeof *this); }
  SystemAddress(const NetworkAddress& address, int family) : SystemAddress() {
    any.sa_family = static_cast<sa_family_t>(family);
    if (family == AF_INET) {
      v4.sin_port = htons(address.port);
      std::memcpy(&v4.sin_addr, address.octets + 12, 4);
    } else {
      v6.sin6_port = htons(address.port);
      std::memcpy(&v6.sin6_addr, address.octets, 16);
    }
  }
  [[nodiscard]] socklen_t size() const { return any.sa_family == AF_INET ? sizeof v4 : sizeof v6; }
  [[nodiscard]] NetworkAddress network_address() const {
    NetworkAddress out;
    if (any.sa_family == AF_INET) {
      out.octets[10] = out.octets[11] = 0xff;
      std::memcpy(out.octets + 12, &v4.sin_addr, 4);
      out.port = ntohs(v4.sin_port);
    } else {
      std::memcpy(out.octets, &v6.sin6_addr, 16);
      out.port = ntohs(v6.sin6_port);
    }
    return out;
  }
};

class UdpNetwork;

/// One socket. Whoever reads it holds it, so that a receiver may destroy its own socket.
class SocketCore {
 public:
  SocketCore(int descriptor, int family, bool is_connected, DatagramSocket::Receiver receiver)
      : descriptor_(descriptor),
        family_(family),
        is_connected_(is_connected),
        receiver_(std::move(receiver)) {}
  ~SocketCore() { close(descriptor_); }
  SocketCore(const SocketCore&) = delete;
  SocketCore& operator=(const SocketCore&) = delete;

  bool send(const NetworkAddress& to,
            std::span<const std::span<const std::uint8_t>> parts) noexcept {
    if (family_ == AF_INET && !to.is_ipv4()) return false;
    const SystemAddress address(to, family_);
    const sockaddr* const name = is_connected_ ? nullptr : &address.any;
    const socklen_t name_size = is_connected_ ? 0 : address.size();
    // Straight to the system: the library's wrappers are points of thread cancellation, which
    // nothing here uses.
    if (parts.size() == 1)
      return syscall(SYS_sendto, descriptor_, parts[0].data(), parts[0].size(),
                     MSG_DONTWAIT | MSG_NOSIGNAL, name, name_size) >= 0;
    HECTOR_CHECK(parts.size() <= kPartsMax, "a datagram is sent in more parts than there may be");
    iovec vectors[kPartsMax];
    std::size_t count = 0;
    for (const auto& part : parts)
      vectors[count++] = {const_cast<std::uint8_t*>(part.data()), part.size()};
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(name);
    message.msg_namelen = name_size;
    message.msg_iov = vectors;
    message.msg_iovlen = count;
    return syscall(SYS_sendmsg, descriptor_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  }

  NetworkAddress local() const {
    SystemAddress address;
    socklen_t size = sizeof address;
    getsockname(descriptor_, &address.any, &size);
    return address.network_address();
  }

  /// Reads one datagram and hands it on; false if there is none (within the socket's own time-out,
  /// unless `flags` says at once).
  bool receive_one(int flags) noexcept {
    SystemAddress from;
    socklen_t size = sizeof from;
    const ssize_t octets = syscall(SYS_recvfrom, descriptor_, buffer_.get(), kDatagramOctetsMax,
                                   flags, &from.any, &size);
    if (octets < 0) return false;
    if (stopping_.load(std::memory_order_acquire)) return false;
    HECTOR_CHECK(static_cast<std::size_t>(octets) <= kDatagramOctetsMax,
                 "the system wrote past the end of the buffer");
    const SocketCore* const outer = std::exchange(inside_, this);
    receiver_(from.network_address(), {buffer_.get(), static_cast<std::size_t>(octets)});
    inside_ = outer;
    return true;
  }
  /// Whether this very thread is inside the receiver.
  [[nodiscard]] bool is_inside() const noexcept { return inside_ == this; }

  bool take_reading() noexcept { return !is_read_.exchange(true, std::memory_order_acquire); }
  void leave_reading() noexcept {
    HECTOR_CHECK(is_read_.load(std::memory_order_relaxed), "no thread reads the socket");
    is_read_.store(false, std::memory_order_release);
  }

  const int descriptor_;
  const int family_;
  const bool is_connected_;
  const DatagramSocket::Receiver receiver_;
  const std::unique_ptr<std::uint8_t[]> buffer_ =
      std::make_unique_for_overwrite<std::uint8_t[]>(kDatagramOctetsMax);  ///< the reader's
  std::atomic<bool> stopping_{false};
  std::atomic<bool> is_read_{false};
  std::atomic<bool> is_cooling_{false};
  std::atomic<std::uint64_t> uses_{0};
  std::uint64_t uses_seen_ = 0;  ///< the network thread's

 private:
  [[gnu::tls_model("initial-exec")]] static inline thread_local const SocketCore* inside_ = nullptr;
};

class UdpSocket final : public DatagramSocket {
 public:
  UdpSocket(UdpNetwork& network, std::shared_ptr<SocketCore> core, Reading reading)
      : network_(network), core_(std::move(core)), reading_(reading) {
    if (reading_ != Reading::kNetworkThread) return;
    thread_ = Thread("udp socket", [core = core_] {
      const NonBlockingScope scope;
      while (!core->stopping_.load(std::memory_order_acquire)) core->receive_one(0);
    });
  }
  ~UdpSocket() override;

  bool send(const NetworkAddress& to,
            std::span<const std::span<const std::uint8_t>> parts) noexcept override {
    return core_->send(to, parts);
  }
  NetworkAddress local() const override { return core_->local(); }
  bool receive_here(TimePoint until) noexcept override;
  Status join(const NetworkAddress& group) override;

 private:
  UdpNetwork& network_;
  const std::shared_ptr<SocketCore> core_;
  const Reading reading_;
  Thread thread_;
};

/// How long the end of a network waits for its last socket.
constexpr std::chrono::seconds kLastSocketWithin{5};

class UdpNetwork final : public Network {
 public:
  UdpNetwork(const Clock& clock, Log& log) : clock_(clock), log_(log) {}
  ~UdpNetwork() override {
    // A task that is just ending may hold the last reference to a channel, and so to its socket.
    {
      std::unique_lock lock(mutex_);
      const bool is_last_gone =
          forgotten_.wait_for(lock, kLastSocketWithin, [this] { return open_.empty(); });
      HECTOR_CHECK(is_last_gone, "the network ends before its sockets");
    }
    if (epoll_ < 0) return;
    stopping_ = true;
    wake();
    thread_.join();
    close(epoll_);
    close(event_);
  }

  Result<std::unique_ptr<DatagramSocket>> open(const SocketOptions& options,
                                               DatagramSocket::Receiver receiver) override try {
    return open_socket(options, std::move(receiver));
  } catch (const std::system_error& error) {
    return fail(Error::resource_exhausted(fmt::format(
        "UDP address {} has no thread: {}; raise `ulimit -u`, or the memory that the process may "
        "have",
        options.local.text(), error.code().message())));
  }

  Result<std::unique_ptr<DatagramSocket>> open_socket(const SocketOptions& options,
                                                      DatagramSocket::Receiver receiver) {
    const NetworkAddress& local = options.local;
    const int family = local.is_ipv4() ? AF_INET : AF_INET6;
    const int descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return no_descriptor(local);
    const int off = 0;
    if (family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &kSocketBufferOctets, sizeof kSocketBufferOctets);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &kSocketBufferOctets, sizeof kSocketBufferOctets);
    if (local.is_multicast()) {
      const int on = 1;
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    const SystemAddress address(local, family);
    if (bind(descriptor, &address.any, address.size()) != 0) {
      const int why = errno;
      close(descriptor);
      return fail(
          why == EADDRINUSE ? Code::kAlreadyExists : Code::kInvalidArgument,
          fmt::format("UDP address {} cannot be used: {}; choose another, or port 0 for any",
                      local.text(), std::strerror(why)));
    }
    bool is_connected = false;
    if (options.peer) {
      const SystemAddress peer(*options.peer, family);
      is_connected = connect(descriptor, &peer.any, peer.size()) ==
                     0;  // where there is no way now, each send looks for one
    }
    auto core = std::make_shared<SocketCore>(descriptor, family, is_connected, std::move(receiver));
    if (options.reading == Reading::kMayMove) {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kReceiveTimeout, sizeof kReceiveTimeout);
      if (!start_thread()) return no_descriptor(local);
      {
        const std::lock_guard lock(mutex_);
        const bool is_new = open_.emplace(core.get(), core).second;
        HECTOR_CHECK(is_new, "a socket is opened twice");
      }
      epoll_event event{};
      event.events = EPOLLIN | EPOLLONESHOT;
      event.data.ptr = core.get();
      epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    }
    return std::unique_ptr<DatagramSocket>(
        std::make_unique<UdpSocket>(*this, std::move(core), options.reading));
  }

  /// The socket has no reader any more; the network's thread takes over unless a waiting thread
  /// comes back soon.
  void cool(SocketCore& socket) noexcept {
    if (socket.is_cooling_.load(std::memory_order_relaxed) || socket.is_cooling_.exchange(true))
      return;
    {
      const std::lock_guard lock(mutex_);
      if (!open_.contains(&socket)) return;  // it was forgotten meanwhile
      cooling_.insert(&socket);
    }
    wake();
  }

  void forget(SocketCore& socket) noexcept {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, socket.descriptor_, nullptr);
    const std::lock_guard lock(mutex_);
    cooling_.erase(&socket);
    const auto erased = open_.erase(&socket);
    HECTOR_CHECK(erased == 1, "a socket is forgotten that is not open");
    forgotten_.notify_all();  // with the lock: the network may end right after it
  }

  const Clock& clock_;

 private:
  static tl::unexpected<Error> no_descriptor(const NetworkAddress& local) {
    return fail(
        Error::resource_exhausted(fmt::format("UDP address {} has no socket: {}; raise `ulimit -n`",
                                              local.text(), std::strerror(errno))));
  }
  /// False: errno says which descriptor it did not get; it may be tried again.
  bool start_thread() {
    const std::lock_guard lock(mutex_);
    if (thread_is_up_) return true;
    if (epoll_ < 0) epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ >= 0 && event_ < 0) event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll_ < 0 || event_ < 0) return false;
    thread_ = Thread("udp network", [this] { run(); });
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event);
    thread_is_up_ = true;
    return true;
  }
  void wake() noexcept {
    const std::uint64_t one = 1;
    static_cast<void>(!write(event_, &one, sizeof one));
  }
  void arm(SocketCore& socket) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.ptr = &socket;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, socket.descriptor_, &event);
  }

  void run() {
    const NonBlockingScope scope;
    epoll_event events[64];
    while (!stopping_) {
      bool has_cooling = false;
      {
        const std::lock_guard lock(mutex_);
        has_cooling = !cooling_.empty();
      }
      const int count = epoll_wait(epoll_, events, 64, has_cooling ? kCoolingMs : -1);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.ptr == nullptr) {
          std::uint64_t ignored = 0;
          static_cast<void>(!read(event_, &ignored, sizeof ignored));
          continue;
        }
        std::shared_ptr<SocketCore> socket;
        {
          const std::lock_guard lock(mutex_);
          const auto found = open_.find(static_cast<SocketCore*>(events[i].data.ptr));
          if (found != open_.end()) socket = found->second;
        }
        if (socket) read_all(*socket);
      }
      rearm_cooled();
    }
  }
  void read_all(SocketCore& socket) {
    if (!socket.take_reading()) return;  // the thread that reads will cool it
    while (socket.receive_one(MSG_DONTWAIT)) {
    }
    socket.leave_reading();
    arm(socket);
  }
  void rearm_cooled() {
    const std::lock_guard lock(mutex_);
    for (auto at = cooling_.begin(); at != cooling_.end();) {
      SocketCore& socket = **at;
      HECTOR_CHECK(open_.contains(&socket), "a socket cools that is not open");
      const std::uint64_t uses = socket.uses_.load();
      if (uses != socket.uses_seen_ || socket.is_read_.load()) {
        socket.uses_seen_ = uses;
        ++at;
        continue;
      }
      socket.is_cooling_ = false;
      at = cooling_.erase(at);
      arm(socket);
    }
  }

  Log& log_;
  std::mutex mutex_;
  std::condition_variable forgotten_;                        ///< a socket left open_
  std::map<SocketCore*, std::shared_ptr<SocketCore>> open_;  ///< those the network's thread reads
  std::set<SocketCore*> cooling_;
  Thread thread_;
  std::atomic<bool> stopping_{false};
  int epoll_ = -1;
  int event_ = -1;
  bool thread_is_up_ = false;
};

UdpSocket::~UdpSocket() {
  core_->stopping_.store(true, std::memory_order_release);
  if (reading_ == Reading::kNetworkThread) {
    if (core_->is_inside()) return;         // its own thread, which ends when the receiver returns
    shutdown(core_->descriptor_, SHUT_RD);  // wakes the blocked reader, connected or not
    NetworkAddress self = local();
    const std::size_t prefix = self.is_ipv4() ? 12 : 0;
    if (std::all_of(self.octets + prefix, std::end(self.octets),
                    [](std::uint8_t o) { return o == 0; })) {  // bound to every address
      if (prefix != 0) self.octets[12] = 127;
      self.octets[15] = 1;
    }
    send(self, {});
    thread_.join();
  } else {
    network_.forget(*core_);
    while (!core_->is_inside() && !core_->take_reading()) std::this_thread::yield();
  }
}

bool UdpSocket::receive_here(TimePoint until) noexcept {
  const auto core = core_;  // the receiver may destroy this
  auto& network = network_;
  if (reading_ != Reading::kMayMove || !core->take_reading()) return false;
  const NonBlockingScope scope;
  core->uses_.store(core->uses_.load(std::memory_order_relaxed) + 1,
                    std::memory_order_relaxed);  // only the reader writes it
  const bool received = core->receive_one(0);
  const bool is_over = !received && until != kNever && network.clock_.now() >= until;
  core->leave_reading();
  if (!core->stopping_.load(std::memory_order_acquire)) network.cool(*core);
  return !is_over;
}

Status UdpSocket::join(const NetworkAddress& group) {
  int outcome = 0;
  if (group.is_ipv4()) {
    ip_mreqn request{};
    std::memcpy(&request.imr_multiaddr, group.octets + 12, 4);
    request.imr_address.s_addr = htonl(INADDR_LOOPBACK);
    outcome =
        setsockopt(core_->descriptor_, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
    const int on = 1;
    setsockopt(core_->descriptor_, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof on);
  } else {
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, group.octets, 16);
    outcome =
        setsockopt(core_->descriptor_, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
  }
  if (outcome != 0)
    return fail(Code::kInvalidArgument,
                fmt::format("multicast group {}: {}", group.text(), std::strerror(errno)));
  return {};
}

}  // namespace

std::unique_ptr<Network> make_system_network(const Clock& clock, Log& log) {
  return std::make_unique<UdpNetwork>(clock, log);
}

}  // namespace hector
