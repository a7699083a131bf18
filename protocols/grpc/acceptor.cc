#include "acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hector::grpcp {

namespace {

/// Of one endpoint; and half of the descriptors that the process may have, so that Objects, files
/// and other protocols keep theirs.
constexpr std::size_t kConnectionsMax = 4'096;
/// How often those that accept slowly are looked at.
constexpr int kLookEveryMs = 1'000;
/// Until it is tried again where the system has no memory or no descriptors left.
constexpr int kPauseMs = 100;
constexpr Duration kSayEvery = std::chrono::seconds(10);  ///< a crowd that is refused is one line
/// A peer that takes nothing of what was sent, or is gone without a word.
constexpr unsigned kTakesNothingMs = 20'000;

std::size_t connections_max() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return kConnectionsMax;
  return std::min<std::size_t>(kConnectionsMax, std::max<rlim_t>(1, limit.rlim_cur / 2));
}

/// Where an IPv6 address holds the IPv4 address that it maps (RFC 4291, 2.5.5.2).
constexpr int kMappedAt = 12;

struct Address {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t size = 0;

  Address() : v6{} {}
  [[nodiscard]] std::uint16_t port() const {
    return ntohs(any.sa_family == AF_INET ? v4.sin_port : v6.sin6_port);
  }
  void set_port(std::uint16_t port) {
    (any.sa_family == AF_INET ? v4.sin_port : v6.sin6_port) = htons(port);
  }
  [[nodiscard]] std::string text() const {
    char host[INET6_ADDRSTRLEN] = {};
    if (any.sa_family == AF_INET)
      inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    else if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
      inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[kMappedAt], host, sizeof host);
    else
      inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
    return HostPort{host, port()}.text();
  }
};

std::vector<Address> addresses_of(const HostPort& place) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(place.port);
  if (getaddrinfo(place.host.c_str(), port.c_str(), &hints, &found) != 0) return {};
  std::vector<Address> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_addrlen > sizeof(sockaddr_in6)) continue;
    Address address;
    std::memcpy(&address.any, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

template <class T>
void set(int descriptor, int level, int name, T value) {
  setsockopt(descriptor, level, name, &value, sizeof value);
}

/// Nothing: errno says why.
Descriptor listen_at(const Address& address) {
  Descriptor made(
      socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!made.is_open()) return made;
  set(made.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.any.sa_family == AF_INET6) set(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  // What is accepted here has these too.
  set(made.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set(made.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, kTakesNothingMs);
  if (bind(made.get(), &address.any, address.size) != 0) return Descriptor();
  if (::listen(made.get(), SOMAXCONN) != 0) return Descriptor();
  return made;
}

std::uint16_t port_of(int descriptor) {
  Address address;
  address.size = sizeof address.v6;
  getsockname(descriptor, &address.any, &address.size);
  return address.port();
}

Descriptor make_spare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Acceptor::Acceptor(Options options)
    : options_(std::move(options)),
      // Shared: gRPC closes a connection's socket when it likes, also after the endpoint's end.
      connections_(std::make_shared<Connections>(options_.clock, options_.log, connections_max())),
      handshakes_(
          options_.credentials == nullptr
              ? nullptr
              : std::make_unique<Handshakes>(*options_.credentials, options_.clock, options_.log)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      spare_(make_spare()) {}

Result<std::unique_ptr<Acceptor>> Acceptor::listen(const HostPort& place, Options options) {
  std::unique_ptr<Acceptor> made(new Acceptor(std::move(options)));
  if (auto opened = made->open(place); !opened) return tl::unexpected(std::move(opened.error()));
  return made;
}

/// A name may have several addresses, which get the same port; one that can be had is enough.
Status Acceptor::open(const HostPort& place) {
  int why = 0;
  for (Address& address : addresses_of(place)) {
    if (address.port() == 0) address.set_port(port_);
    Descriptor listener = listen_at(address);
    if (!listener.is_open()) {
      why = errno;
      continue;
    }
    port_ = port_of(listener.get());
    listeners_.push_back(std::move(listener));
  }
  if (why == EMFILE || why == ENFILE || !wake_.is_open())
    return fail(Error::resource_exhausted(fmt::format(
        "gRPC address {}: there is no descriptor left; raise `ulimit -n`", place.text())));
  if (!listeners_.empty()) return {};
  return fail(Error::already_exists(
      fmt::format("gRPC address {} cannot be used: in use, or not of this machine; choose "
                  "another, or port 0 for any",
                  place.text())));
}

void Acceptor::start() {
  thread_ = Thread("grpc accept", [this] { run(); });
}

void Acceptor::stop() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_.get(), &one, sizeof one));
  thread_.join();
  listeners_.clear();
}

void Acceptor::run() {
  std::vector<pollfd> polled;
  for (;;) {
    const bool is_alone = connections_->count() == 0 && (!handshakes_ || handshakes_->is_empty());
    const int wait_ms = is_pausing_ ? kPauseMs : is_alone ? -1 : kLookEveryMs;
    polled.assign(1, {wake_.get(), POLLIN, 0});
    if (!std::exchange(is_pausing_, false))
      for (const auto& listener : listeners_) polled.push_back({listener.get(), POLLIN, 0});
    const std::size_t listening = polled.size();
    if (handshakes_) handshakes_->wait_for(polled);
    poll(polled.data(), polled.size(), wait_ms);
    if (polled.front().revents != 0) return;
    if (handshakes_) {
      for (auto& proved : handshakes_->step(polled))
        admit(std::move(proved.connection), std::move(proved.peer), std::move(proved.socket));
    }
    for (std::size_t i = 1; i < listening; ++i) {
      while (polled[i].revents != 0 && accept_one(polled[i].fd)) {
      }
    }
    connections_->look(options_.credentials);
    options_.look();
  }
}

bool Acceptor::accept_one(int listener) {
  Address from;
  from.size = sizeof from.v6;
  Descriptor made(accept4(listener, &from.any, &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (made.is_open()) {
    if (handshakes_)
      handshakes_->add(std::move(made), from.text());
    else
      admit(std::move(made), from.text(), nullptr);
    return true;
  }
  const int why = errno;
  if (why == EAGAIN || why == EWOULDBLOCK) return false;
  if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM)
    return refuse_one(listener, why);
  return true;  // this one went before it was accepted
}

void Acceptor::admit(Descriptor connection, std::string peer,
                     std::unique_ptr<EncryptedSocket> encryption) {
  if (!connections_->add(connection.get(), std::move(peer), std::move(encryption)))
    return say_refused("too many");
  options_.accepted(connection.release());
}

bool Acceptor::refuse_one(int listener, int why) {
  say_refused(std::strerror(why));
  connections_->end_idle();
  if (!spare_.is_open()) spare_ = make_spare();
  const bool can_refuse = spare_.is_open() && (why == EMFILE || why == ENFILE);
  spare_ = Descriptor();
  // Without a descriptor the system says EMFILE even where no connection waits.
  const bool is_refused =
      can_refuse && Descriptor(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)).is_open();
  spare_ = make_spare();
  is_pausing_ = !can_refuse || !spare_.is_open();
  return is_refused && !is_pausing_;
}

void Acceptor::say_refused(const char* why) {
  const TimePoint now = options_.clock.now();
  if (said_ != TimePoint() && now - said_ < kSayEvery) return;
  said_ = now;
  options_.log.write(Level::kWarning, "gRPC connections are refused", {{"why", why}});
}

}  // namespace hector::grpcp
