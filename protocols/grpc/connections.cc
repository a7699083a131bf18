#include "connections.h"

#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <utility>

#include "hector/check.h"

namespace hector::grpcp {

namespace {

/// Offenders come in crowds; one line a second says enough.
constexpr Duration kLogEvery = std::chrono::seconds(1);
/// The answer to a ping or to settings is a frame of at least this size.
constexpr std::uint64_t kAnswerOctets = 9;

/// What gRPC calls `ipv4:127.0.0.1:5000` or `ipv6:%5Bfe80::1%252%5D:5000`, as host and port,
/// without the number of the interface.
std::string place_of(std::string_view peer) {
  constexpr std::string_view kOpen = "%5B", kScope = "%25", kClose = "%5D";
  peer.remove_prefix(std::min(peer.size(), peer.find(':') + 1));
  if (!peer.starts_with(kOpen)) return std::string(peer);
  const std::string_view inside = peer.substr(kOpen.size(), peer.find(kClose) - kOpen.size());
  const std::size_t close = kOpen.size() + inside.size() + kClose.size();
  return fmt::format("[{}]{}", inside.substr(0, inside.find(kScope)),
                     peer.substr(std::min(peer.size(), close)));
}

/// Octets that the peer's system has confirmed.
std::uint64_t taken_octets(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size);
  return info.tcpi_bytes_acked;
}

}  // namespace

Backlog::Then Backlog::remove() {
  const std::size_t before = count_.fetch_sub(1);
  HECTOR_CHECK(before > 0, "a backlog loses more calls than it has");
  const bool may_go_on = before <= kBacklogMax - kBacklogGap;
  return may_go_on && is_paused_.exchange(false) ? Then::kResume : Then::kNothing;
}

std::size_t Backlog::room() {
  if (count_ < kBacklogMax / 2) return kReadOctets;
  if (count_ < kBacklogMax) return kReadOctetsOfMany;
  is_paused_ = true;
  // Calls that ended before this was set have resumed nothing.
  const bool may_go_on = count_ < kBacklogMax - kBacklogGap;
  return may_go_on && is_paused_.exchange(false) ? kReadOctetsOfMany : 0;
}

class Connections::Connection final : public WatchedSocket {
 public:
  Connection(std::shared_ptr<Connections> owner, int descriptor, std::string peer,
             std::unique_ptr<EncryptedSocket> encryption)
      : remote(std::make_shared<Remote>(encryption ? encryption->peer().principal : "")),
        owner_(std::move(owner)),
        descriptor_(descriptor),
        peer_(std::move(peer)),
        encryption_(std::move(encryption)) {}

  std::size_t room() noexcept override { return is_ending ? kReadOctets : remote->backlog.room(); }
  EncryptedSocket* encryption() noexcept override { return encryption_.get(); }
  bool on_read(std::span<const std::uint8_t> octets) noexcept override {
    // What had come before its end could still be read, and would be calls.
    if (is_ending) return false;
    const std::size_t open_before = watch_.open_header();
    const Offence offence = watch_.feed(octets);
    // Counted whatever comes of it: on_close() takes off what is open then.
    const std::size_t open = watch_.open_header();
    const bool is_within = open == open_before || count_header(open_before, open);
    switch (offence) {
      case Offence::kLongHeader:
        return offend("it sent a header beyond the limit");
      case Offence::kIgnoredSettings:
        return offend("it sent calls without an acknowledgement of the settings");
      case Offence::kNone:
        break;
    }
    if (!is_within) return offend("it sent headers that do not end");
    if (watch_.questions() < questions_seen_ + kQuestionsMax) return true;
    questions_seen_ = watch_.questions();
    const std::uint64_t taken = taken_octets(descriptor_);
    const bool is_taken =
        taken - std::exchange(taken_seen_, taken) >= kAnswerOctets * kQuestionsMax;
    return is_taken || offend("it sent pings whose answers it does not take");
  }
  void on_close() noexcept override {
    const std::size_t before = owner_->open_headers_.fetch_sub(watch_.open_header());
    HECTOR_CHECK(before >= watch_.open_header(),
                 "an open header is taken off that was not counted");
    const auto owner = owner_;  // this connection ends in remove()
    owner->remove(*this);
  }

  [[nodiscard]] const std::shared_ptr<EncryptedSocket>& encrypted() const { return encryption_; }
  [[nodiscard]] bool has_called() const { return watch_.headers() != 0; }
  /// Nothing where no header is open.
  [[nodiscard]] TimePoint header_since() const { return header_since_.load(); }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const std::string& peer() const { return peer_; }
  Order::iterator place;
  Peers::iterator place_by_peer;
  const std::shared_ptr<Remote> remote;
  std::atomic<bool> is_ending{false};  ///< set with the lock

 private:
  bool offend(const char* why) {
    owner_->end(*this, why);
    return false;
  }
  bool count_header(std::size_t before, std::size_t now) {
    const std::uint64_t ended = watch_.headers();
    if (before == 0 || std::exchange(headers_seen_, ended) != ended)
      header_since_ = now == 0 ? TimePoint() : owner_->clock_.now();
    const std::size_t all = owner_->open_headers_ += now - before;  // unsigned: it may get less
    return now < before || all <= kOpenHeadersOctetsMax;
  }

  const std::shared_ptr<Connections> owner_;  ///< until gRPC closes it
  const int descriptor_;
  const std::string peer_;
  /// Owners: this, and whoever examines it again just now.
  const std::shared_ptr<EncryptedSocket> encryption_;
  FrameWatch watch_;
  std::uint64_t questions_seen_ = 0, taken_seen_ = 0, headers_seen_ = 0;
  std::atomic<TimePoint> header_since_{TimePoint()};
};

Connections::Connections(const Clock& clock, Log& log, std::size_t count_max)
    : clock_(clock), log_(&log), count_max_(count_max) {}

Connections::~Connections() = default;

bool Connections::add(int descriptor, std::string peer,
                      std::unique_ptr<EncryptedSocket> encryption) {
  const std::lock_guard lock(mutex_);
  if (encryption && by_peer_.contains(peer)) return false;
  // Those that are ending leave as soon as gRPC has noticed.
  if (all_.size() - ending_ >= count_max_ && !end_idle_locked()) return false;
  all_.push_back(std::make_unique<Connection>(shared_from_this(), descriptor, std::move(peer),
                                              std::move(encryption)));
  auto& made = *all_.back();
  made.place = std::prev(all_.end());
  made.place_by_peer = by_peer_.emplace(made.peer(), &made);
  if (watch_socket(descriptor, made)) return true;
  forget(made);
  return false;
}

void Connections::look(const Credentials* credentials) {
  const TimePoint now = clock_.now();
  if (credentials != nullptr && now - examined_ >= kExamineEvery) {
    examined_ = now;
    examine_again(*credentials);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& connection : all_) {
    const TimePoint since = connection->header_since();
    if (connection->is_ending || since == TimePoint() || now - since < kHeaderWithin) continue;
    log_offence(*connection, "it sent a header that does not end");
    shut_down(*connection);
  }
}

void Connections::examine_again(const Credentials& credentials) {
  // Judging takes time, and calls begin and end meanwhile: it is done without the lock.
  std::map<const EncryptedSocket*, std::shared_ptr<EncryptedSocket>> held;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : all_)
      if (const auto& socket = connection->encrypted()) held.emplace(socket.get(), socket);
  }
  std::map<const EncryptedSocket*, Error> refused;
  for (const auto& [key, socket] : held)
    if (auto accepted = socket->examine_again(credentials); !accepted)
      refused.emplace(key, std::move(accepted.error()));
  if (refused.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const auto& connection : all_) {
    const auto found = refused.find(connection->encrypted().get());
    if (found == refused.end() || connection->is_ending) continue;
    log_offence(*connection, found->second.type + ": " + found->second.message);
    shut_down(*connection);
  }
}

bool Connections::end_idle() {
  const std::lock_guard lock(mutex_);
  return end_idle_locked();
}

bool Connections::end_idle_locked() {
  for (const auto& connection : all_) {
    if (connection->is_ending || connection->has_called()) continue;
    shut_down(*connection);
    return true;
  }
  return false;
}

void Connections::close() {
  const std::lock_guard lock(mutex_);
  log_ = nullptr;
  for (const auto& connection : all_) shut_down(*connection);
}

std::size_t Connections::count() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

void Connections::end(Connection& connection, const char* why) {
  const std::lock_guard lock(mutex_);
  log_offence(connection, why);
  shut_down(connection);
}

std::shared_ptr<Remote> Connections::remote(std::string_view peer) const {
  const std::string place = place_of(peer);
  const std::lock_guard lock(mutex_);
  const auto found = by_peer_.find(place);
  return found == by_peer_.end() ? nullptr : found->second->remote;
}

void Connections::resume(const Remote& remote) {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : all_)
    if (connection->remote.get() == &remote) wake_reader(connection->descriptor());
}

bool Connections::is_stuck(std::string_view peer) const {
  const std::string place = place_of(peer);
  const std::lock_guard lock(mutex_);
  const auto [first, last] = by_peer_.equal_range(place);
  return std::any_of(first, last, [](const auto& each) {
    pollfd socket{each.second->descriptor(), POLLOUT, 0};
    return !each.second->is_ending && poll(&socket, 1, 0) == 0;
  });
}

void Connections::end_peer(std::string_view peer, const char* why) {
  const std::string place = place_of(peer);
  const std::lock_guard lock(mutex_);
  const auto [first, last] = by_peer_.equal_range(place);
  for (auto each = first; each != last; ++each) {
    if (each->second->is_ending) continue;
    log_offence(*each->second, why);
    shut_down(*each->second);
  }
}

void Connections::shut_down(Connection& connection) {
  if (!connection.is_ending.exchange(true)) ++ending_;
  HECTOR_CHECK(ending_ <= all_.size(), "more connections are ending than there are");
  ::shutdown(connection.descriptor(), SHUT_RDWR);
  wake_reader(connection.descriptor());
}

void Connections::remove(Connection& connection) {
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(!connection.is_ending || ending_ > 0, "more connections end than were ending");
  if (connection.is_ending) --ending_;
  forget(connection);
}

void Connections::forget(Connection& connection) {
  by_peer_.erase(connection.place_by_peer);
  all_.erase(connection.place);
}

void Connections::log_offence(const Connection& connection, std::string_view why) {
  if (log_ == nullptr) return;
  ++not_logged_;
  const TimePoint now = clock_.now();
  if (now - logged_ < kLogEvery) return;
  logged_ = now;
  log_->write(Level::kWarning, "a gRPC connection was closed",
              {{"peer", connection.peer()},
               {"because", why},
               {"closed", std::to_string(std::exchange(not_logged_, 0))}});
}

}  // namespace hector::grpcp
