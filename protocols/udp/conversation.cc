#include "conversation.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "dtls_wire.h"

namespace hector::udp {

namespace {

/// Loopback has an MTU of 64 KiB; 16 KiB fill a processor's cache less.
constexpr std::uint64_t kLoopbackDatagram = 16 * 1'024;
/// A peer that is silent for so long while something is awaited from it is pinged: a fifth of
/// ConnectionLimits::silence_max.
constexpr Duration kPingAfter = std::chrono::seconds(1);

}  // namespace

Error gone_error(const NetworkAddress& peer, const std::string& why) {
  return Error::unavailable(
      fmt::format("udp {}: {}; the outcome of calls in flight is unknown", peer.text(), why));
}

std::string digest_of(std::string_view content) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(content.data(), content.size(), digest, &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest), kDigestOctets};
}

void send_packet(DatagramSocket& socket, const NetworkAddress& to, const std::string& packet) {
  const Octets part = octets_of(packet);
  socket.send(to, {&part, 1});
}

bool is_loopback(const NetworkAddress& address) {
  return address.is_ipv4() ? address.octets[12] == 127 : address.octets[15] == 1;
}

ConnectionLimits limits_for(const NetworkAddress& peer, Security security) {
  ConnectionLimits limits;
  if (is_loopback(peer)) limits.datagram_octets = kLoopbackDatagram;
  if (security != Security::kNone) limits.datagram_octets -= kRecordOverhead;
  return limits;
}

void Conversation::send(std::uint64_t group, std::string_view head, Bytes body) {
  const std::lock_guard lock(mutex_);
  send_locked(group, head, std::move(body), kNever);
}

void Conversation::send_locked(std::uint64_t group, std::string_view head, Bytes body,
                               TimePoint now) {
  if (shut_) return;
  connection_->send(group, head, std::move(body));
  if (corked_by_ == std::this_thread::get_id()) return;
  if (now == kNever) now = context_.clock->now();
  flush(now);
  schedule();
}

void Conversation::flush(TimePoint now) {
  if (!is_established()) return;
  while (connection_->next_packet(now, packet_)) {
    link_->send(packet_);
  }
}

TimePoint Conversation::ping_due() const {
  return is_established() && is_waiting() ? std::max(connection_->heard(), pinged_) + kPingAfter
                                          : kNever;
}

void Conversation::schedule() {
  HECTOR_CHECK((timer_ == 0) == (timer_at_ == kNever), "a timer and its time differ");
  if (shut_) return;
  const TimePoint due =
      std::min({is_established() ? connection_->due() : kNever, also_due(), ping_due()});
  if (due == kNever || due >= timer_at_) return;  // an earlier timer schedules the next
  if (timer_ != 0) context_.executor->cancel(timer_);
  timer_at_ = due;
  timer_ = context_.executor->at(due, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->run_timer();
  });
}

void Conversation::run_timer() {
  const TimePoint now = context_.clock->now();
  bool is_dead = false;
  bool is_stalled = false;
  {
    const std::lock_guard lock(mutex_);
    timer_ = 0;
    timer_at_ = kNever;
    if (shut_) return;
    if (is_established()) {
      if (ping_due() <= now) {
        connection_->ping();
        pinged_ = now;
      }
      if (connection_->due() <= now) connection_->tick(now);
      flush(now);
      is_dead = connection_->is_dead(now);
      is_stalled = connection_->is_stalled(now);
    }
  }
  if (is_dead)
    on_gone("the peer is silent");
  else if (is_stalled)
    on_gone("the peer does not finish what it began");
  on_tick(now);
  const std::lock_guard lock(mutex_);
  schedule();
}

void Conversation::on_data(Octets packet) {
  thread_local std::vector<Bytes> messages;
  std::vector<Bytes> mine;
  mine.swap(messages);
  const TimePoint now = context_.clock->now();
  bool peer_closed = false;
  std::string_view violation;
  {
    const std::lock_guard lock(mutex_);
    if (shut_) return;
    connection_->receive(packet, now, mine);
    peer_closed = connection_->peer_closed();
    violation = connection_->violation();
    on_held(connection_->held());
    if (mine.empty()) {
      flush(now);
      schedule();
    } else {
      corked_by_ = std::this_thread::get_id();
    }
  }
  std::shared_ptr<Conversation> keep;
  if (!mine.empty() || peer_closed || !violation.empty())
    keep = shared_from_this();  // a call that ends may be the last that held the channel
  if (!mine.empty()) {
    for (auto& message : mine) on_message(std::move(message), now);
    const std::lock_guard lock(mutex_);
    if (corked_by_ == std::this_thread::get_id()) corked_by_ = {};
    if (!shut_ && connection_->has_output(now)) flush(context_.clock->now());
    schedule();
    mine.clear();
  }
  messages.swap(mine);
  if (peer_closed)
    on_gone("the peer closed the connection");
  else if (!violation.empty())
    on_gone(std::string(violation));
}

Conversation::Signs Conversation::signs() {
  const std::lock_guard lock(mutex_);
  return {connection_->heard(), connection_->progressed(), connection_->held()};
}

void Conversation::give_up() {
  const std::lock_guard lock(mutex_);
  if (shut_) return;
  shut_ = true;
  if (timer_ != 0) context_.executor->cancel(timer_);
  if (is_established() && !connection_->peer_closed()) link_->send(connection_->close_packet());
  connection_ = std::make_unique<Connection>(limits_, 0);
  on_held(0);
}

bool UdpFlow::take(Payload message) {
  const std::size_t octets = message.bytes().size();
  unread_.fetch_add(octets, std::memory_order_relaxed);
  const std::size_t all = conversation_->unread_.fetch_add(octets, std::memory_order_relaxed);
  if (all + octets > kUnreadOctetsMax && all > 0) {
    taken(octets);
    deliver_break(Error::resource_exhausted(
        fmt::format("flows of this peer hold {} octets that nobody has read", all)));
    return false;
  }
  return deliver(std::move(message));
}

void Conversation::shut() {
  const std::lock_guard lock(mutex_);
  if (shut_) return;
  shut_ = true;
  if (timer_ != 0) context_.executor->cancel(timer_);
  if (!is_established()) return;
  flush(context_.clock->now());
  link_->send(connection_->close_packet());
}

}  // namespace hector::udp
