#include "connection.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::udp {

namespace {

/// A reply usually comes sooner than this and carries the acknowledgement.
constexpr Duration kAcknowledgeAfter = std::chrono::milliseconds(4);
constexpr int kAcknowledgeEvery = 2;  ///< packets, as RFC 9000 section 13.2.2 recommends
/// The time-out lies between these: a site's round trip plus a scheduler's delay, and what a user
/// does not notice yet.
constexpr Duration kTimeoutMin = std::chrono::milliseconds(10);
constexpr Duration kTimeoutMax = std::chrono::milliseconds(250);
constexpr Duration kFirstTimeout = std::chrono::milliseconds(60);  ///< before a round trip is known
constexpr int kBackoffMax = 5;                ///< doublings: 10 ms reaches kTimeoutMax
constexpr std::uint64_t kReorderPackets = 3;  ///< RFC 9002's packet threshold
/// Smallest windows: after a loss, and after repeated time-outs.
constexpr std::size_t kWindowMinDatagrams = 8;
constexpr std::size_t kTimeoutWindowDatagrams = 4;
constexpr int kTimeoutsUntilShrink = 3;
/// Gaps in the packet numbers that are remembered: more than a window of 32 packets can make.
constexpr std::size_t kRangesKept = 256;
constexpr std::size_t kIncompleteMax = 16'384;  ///< messages in reassembly, against a hostile peer
/// Header and outcome that a message carries beside its payload of message_octets_max.
constexpr std::uint64_t kHeaderOctetsMax = 64 * 1024;

}  // namespace

void Connection::send(std::uint64_t group, std::string_view head, Bytes body) {
  const std::uint64_t number = next_message_++;
  Outgoing& outgoing = outgoing_.push();
  outgoing.group = group;
  outgoing.position = group == 0 ? 0 : ++group_positions_[group];
  outgoing.head.assign(head);
  outgoing.body = std::move(body);
  outgoing.acknowledged = 0;
  outgoing.is_done = false;
  fresh_.push() = {number, 0, outgoing.total()};
  unsent_ += outgoing.total();
}

Connection::Outgoing* Connection::outgoing(std::uint64_t message) {
  if (message < first_outgoing_ || message - first_outgoing_ >= outgoing_.size()) return nullptr;
  Outgoing& found = outgoing_[message - first_outgoing_];
  return found.is_done ? nullptr : &found;
}

bool Connection::receive(Octets packet, TimePoint now, std::vector<Bytes>& deliver) {
  Reader reader(packet);
  const std::uint64_t number = reader.fixed();
  if (!reader.ok()) return false;
  heard_ = now;
  if (!packets_.add(number)) {  // a duplicate: its acknowledgement was lost
    acknowledge_at_ = now;
    return true;
  }
  packets_.keep(kRangesKept);
  bool needs_answer = false;
  Frame frame;
  while (read_frame(reader, frame)) {
    if (frame.type == FrameType::kFragment &&
        frame.fragment.total > limits_.message_octets_max + kHeaderOctetsMax)
      return false;
    needs_answer = needs_answer || frame.type == FrameType::kFragment ||
                   frame.type == FrameType::kPing || frame.type == FrameType::kLimit;
    take_frame(frame, now, deliver);
  }
  if (needs_answer) plan_acknowledgement(number, now);
  check_receiving();
  return reader.ok();
}

void Connection::take_frame(const Frame& frame, TimePoint now, std::vector<Bytes>& deliver) {
  switch (frame.type) {
    case FrameType::kAcknowledge:
      return take_acknowledgement(frame.acknowledgement, now);
    case FrameType::kFragment:
      return take_fragment(frame.fragment, deliver);
    case FrameType::kPing:
      return;
    case FrameType::kClose:
      peer_closed_ = true;
      return;
    case FrameType::kLimit:
      peer_limit_ = std::max(peer_limit_, frame.limit);
      return;
  }
}

void Connection::plan_acknowledgement(std::uint64_t number, TimePoint now) {
  ++unacknowledged_;
  const bool is_gap = packets_.ranges().size() > 1 && packets_.ranges().back().first == number;
  if (unacknowledged_ >= kAcknowledgeEvery || is_gap) {
    acknowledge_at_ = now;
  } else if (acknowledge_at_ == kNever) {
    acknowledge_at_ = now + kAcknowledgeAfter;
  }
}

void Connection::take_fragment(const Fragment& fragment, std::vector<Bytes>& deliver) {
  if (messages_.contains(fragment.message)) return;
  if (fragment.data.size() == fragment.total &&
      !incoming_.contains(fragment.message)) {  // whole: no reassembly
    Incoming whole;
    whole.group = fragment.group;
    whole.position = fragment.position;
    whole.total = fragment.total;
    whole.content = Bytes::copy(fragment.data.data(), fragment.data.size());
    octets_received_ += fragment.data.size();
    return finish(fragment.message, whole, deliver);
  }
  if (incoming_.size() >= kIncompleteMax && !incoming_.contains(fragment.message))
    return;  // unacknowledged, so the peer sends it again
  Incoming& incoming = incoming_[fragment.message];
  if (incoming.total == 0) {
    incoming.group = fragment.group;
    incoming.position = fragment.position;
    incoming.total = fragment.total;
    incoming.content = Bytes::allocate(fragment.total);
  }
  if (incoming.total != fragment.total) return;
  reassemble(incoming, fragment);
  if (incoming.received == incoming.total) {
    Incoming whole = std::move(incoming);
    incoming_.erase(fragment.message);
    finish(fragment.message, whole, deliver);
  }
}

/// A sender may cut a message differently when it sends it again: only what is new counts.
void Connection::reassemble(Incoming& incoming, const Fragment& fragment) {
  HECTOR_CHECK(fragment.offset + fragment.data.size() <= incoming.total,
               "read_frame() let a fragment pass that reaches beyond its message");
  std::uint64_t at = fragment.offset;
  const std::uint64_t end = fragment.offset + fragment.data.size();
  auto& ranges = incoming.ranges;
  auto next = ranges.upper_bound(at);
  if (next != ranges.begin() && std::prev(next)->second >= at)
    at = std::min(end, std::prev(next)->second);
  while (at < end) {
    next = ranges.upper_bound(at);
    const std::uint64_t stop = next == ranges.end() ? end : std::min(end, next->first);
    if (stop > at) {
      std::memcpy(incoming.content.writable() + at, fragment.data.data() + (at - fragment.offset),
                  stop - at);
      incoming.received += stop - at;
      octets_received_ += stop - at;
      auto placed = ranges.emplace(at, stop).first;
      if (placed != ranges.begin() && std::prev(placed)->second == at) {
        std::prev(placed)->second = stop;
        placed = std::prev(ranges.erase(placed));
      }
      const auto after = std::next(placed);
      if (after != ranges.end() && after->first == placed->second) {
        placed->second = after->second;
        ranges.erase(after);
      }
    }
    next = ranges.upper_bound(at);
    at = std::max(stop, std::prev(next)->second);
  }
  HECTOR_CHECK(incoming.received <= incoming.total, "an octet of a message was counted twice");
}

void Connection::finish(std::uint64_t message, Incoming& incoming, std::vector<Bytes>& deliver) {
  messages_.add(message);
  if (limit_told_ - octets_received_ < limits_.receive_window_octets / 2) tell_limit_ = true;
  if (incoming.group == 0) {
    deliver.push_back(std::move(incoming.content));
    return;
  }
  Group& group = groups_[incoming.group];
  if (incoming.position == group.next) {
    ++group.next;
    deliver.push_back(std::move(incoming.content));
    for (auto at = group.waiting.begin(); at != group.waiting.end() && at->first == group.next;
         at = group.waiting.erase(at)) {
      ++group.next;
      deliver.push_back(std::move(at->second));
    }
  } else if (incoming.position > group.next) {
    group.waiting.emplace(incoming.position, std::move(incoming.content));
  }
  HECTOR_CHECK(group.waiting.empty() || group.waiting.begin()->first > group.next,
               "a message that is next in its group was not delivered");
}

void Connection::measure(Duration sample) {
  if (smoothed_ == Duration::zero()) {
    smoothed_ = sample;
    deviation_ = sample / 2;
    return;
  }
  deviation_ = (3 * deviation_ + std::chrono::abs(smoothed_ - sample)) / 4;
  smoothed_ = (7 * smoothed_ + sample) / 8;
}

Duration Connection::timeout() const {
  const Duration base = smoothed_ == Duration::zero()
                            ? kFirstTimeout
                            : std::max(kTimeoutMin, smoothed_ + 4 * deviation_ + kAcknowledgeAfter);
  return std::min<Duration>(kTimeoutMax, base * (1 << std::min(timeouts_, kBackoffMax)));
}

void Connection::land(Sent& sent) {
  if (!sent.in_flight) return;
  sent.in_flight = false;
  in_flight_ -= std::min(in_flight_, sent.octets);
}

void Connection::acknowledged(Sent& sent) {
  HECTOR_CHECK(sent.number != 0, "a packet is acknowledged or lost once");
  land(sent);
  if (window_ < threshold_) {
    window_ += sent.octets;  // slow start
  } else {
    window_ += limits_.datagram_octets * sent.octets / window_;
  }
  for (const Piece& piece : sent.pieces) {
    Outgoing* found = outgoing(piece.message);
    if (found == nullptr) continue;
    found->acknowledged += piece.size;
    HECTOR_CHECK(found->acknowledged <= found->total(), "an octet was acknowledged twice");
    if (found->acknowledged < found->total()) continue;
    found->is_done = true;
    found->body = Bytes();
  }
  for (; !outgoing_.empty() && outgoing_.front().is_done; outgoing_.pop()) ++first_outgoing_;
}

void Connection::lost(Sent& sent) {
  HECTOR_CHECK(sent.number != 0, "a packet is acknowledged or lost once");
  land(sent);
  for (const Piece& piece : sent.pieces) {
    if (outgoing(piece.message) == nullptr) continue;
    again_.push() = piece;
    ++retransmitted_;
  }
  if (sent.number >= recovery_until_) {
    recovery_until_ = next_packet_;
    threshold_ = std::max(window_ / 2, kWindowMinDatagrams * limits_.datagram_octets);
    window_ = threshold_;
  }
}

void Connection::take_acknowledgement(const Acknowledgement& acknowledgement, TimePoint now) {
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    Sent& sent = sent_[i];
    if (sent.number == 0) continue;
    for (const auto& [first, last] : acknowledgement.ranges()) {
      if (sent.number < first || sent.number > last) continue;
      if (sent.number == acknowledgement.ranges().front().last) measure(now - sent.at);
      largest = std::max(largest, sent.number);
      acknowledged(sent);
      sent.number = 0;
      break;
    }
  }
  if (largest == 0) return;
  timeouts_ = 0;
  for (std::size_t i = 0; i < sent_.size() && sent_[i].number + kReorderPackets <= largest; ++i) {
    if (sent_[i].number == 0) continue;
    lost(sent_[i]);
    sent_[i].number = 0;
  }
  while (!sent_.empty() && sent_.front().number == 0) sent_.pop();
  oldest_unanswered_ = sent_.empty() ? kNever : now;
  check_sending();
}

void Connection::copy_piece(const Outgoing& outgoing, const Piece& piece, std::string& out) {
  HECTOR_CHECK(piece.offset + piece.size <= outgoing.total(), "a piece reaches beyond its message");
  Writer writer(out);
  writer.type(FrameType::kFragment).number(piece.message).number(outgoing.group);
  if (outgoing.group != 0) writer.number(outgoing.position);
  writer.number(outgoing.total()).number(piece.offset).number(piece.size);
  std::uint64_t offset = piece.offset;
  std::uint64_t left = piece.size;
  if (offset < outgoing.head.size()) {
    const std::uint64_t part = std::min<std::uint64_t>(left, outgoing.head.size() - offset);
    writer.raw(outgoing.head.data() + offset, part);
    offset += part;
    left -= part;
  }
  if (left > 0) writer.raw(outgoing.body.data() + (offset - outgoing.head.size()), left);
}

bool Connection::next_packet(TimePoint now, std::string& packet) {
  packet.clear();
  const bool acknowledge = acknowledge_at_ <= now;
  const bool may_send = in_flight_ < window_;
  const bool has_again = !again_.empty() && may_send;
  const bool has_fresh = !fresh_.empty() && may_send && octets_fresh_ < peer_limit_;
  if (!acknowledge && !has_again && !has_fresh && !tell_limit_ && probes_ == 0) return false;

  Writer writer(packet);
  writer.type(PacketType::kData).fixed(peer_id_).fixed(next_packet_);
  if (!packets_.ranges().empty() && (acknowledge || unacknowledged_ > 0)) {
    write_acknowledgement(writer, packets_);
    unacknowledged_ = 0;
    acknowledge_at_ = kNever;
  }
  Sent& sent = sent_.push();
  sent.number = next_packet_;
  sent.at = now;
  sent.octets = 0;
  sent.in_flight = true;
  sent.pieces.clear();
  bool needs_answer = false;
  if (tell_limit_) {
    limit_told_ = octets_received_ + limits_.receive_window_octets;
    writer.type(FrameType::kLimit).number(limit_told_);
    tell_limit_ = false;
    needs_answer = true;
  }
  if (may_send) add_lost_pieces(sent, packet);
  if (again_.empty() && has_fresh) add_fresh_pieces(sent, packet);
  if (probes_ > 0) {
    --probes_;
    if (sent.pieces.empty()) writer.type(FrameType::kPing);
    needs_answer = true;
  }
  ++next_packet_;
  if (!needs_answer && sent.pieces.empty()) {
    sent_.pop_back();
  } else {
    sent.octets = packet.size();
    in_flight_ += packet.size();
    last_sent_ = now;
    if (oldest_unanswered_ == kNever) oldest_unanswered_ = now;
  }
  check_sending();
  return true;
}

void Connection::add_lost_pieces(Sent& sent, std::string& packet) {
  while (!again_.empty()) {
    const Piece piece = again_.front();
    const Outgoing* found = outgoing(piece.message);
    if (found == nullptr) {  // acknowledged meanwhile
      again_.pop();
      continue;
    }
    if (packet.size() + kFragmentOverhead + piece.size > limits_.datagram_octets &&
        !sent.pieces.empty())
      return;
    again_.pop();
    copy_piece(*found, piece, packet);
    sent.pieces.push_back(piece);
  }
}

void Connection::add_fresh_pieces(Sent& sent, std::string& packet) {
  while (!fresh_.empty() && packet.size() + kFragmentOverhead < limits_.datagram_octets) {
    Piece& whole = fresh_.front();
    Piece piece = whole;
    piece.size = std::min<std::uint64_t>(
        whole.size, limits_.datagram_octets - packet.size() - kFragmentOverhead);
    const Outgoing* const found = outgoing(piece.message);
    HECTOR_CHECK(found != nullptr, "a message is acknowledged before all of it was sent");
    copy_piece(*found, piece, packet);
    sent.pieces.push_back(piece);
    octets_fresh_ += piece.size;
    unsent_ -= piece.size;
    whole.offset += piece.size;
    whole.size -= piece.size;
    if (whole.size == 0) fresh_.pop();
  }
}

void Connection::check_sending() const {
  HECTOR_CHECK(first_outgoing_ + outgoing_.size() == next_message_,
               "message numbers and the queue of messages differ");
  HECTOR_CHECK(sent_.empty() || sent_.front().number != 0,
               "a settled packet is at the head of those that wait for an acknowledgement");
  HECTOR_CHECK(!sent_.empty() || in_flight_ == 0,
               "octets are in flight without a packet that carries them");
  HECTOR_CHECK(!fresh_.empty() || unsent_ == 0, "octets are unsent without a message they are of");
  HECTOR_CHECK(window_ >= kTimeoutWindowDatagrams * limits_.datagram_octets,
               "the congestion window is below its minimum");
}

void Connection::check_receiving() const {
  HECTOR_CHECK(packets_.ranges().size() <= kRangesKept, "packet numbers are remembered for ever");
  HECTOR_CHECK(incoming_.size() <= kIncompleteMax, "more messages in reassembly than the limit");
}

void Connection::tick(TimePoint now) {
  if (sent_.empty() || now < last_sent_ + timeout()) return;
  ++timeouts_;
  // The oldest packet is sent again at once, whatever the window says: it is the probe.
  lost(sent_.front());
  sent_.pop();
  while (!sent_.empty() && sent_.front().number == 0) sent_.pop();
  if (timeouts_ >= kTimeoutsUntilShrink)
    window_ = std::max(kTimeoutWindowDatagrams * limits_.datagram_octets, window_ / 2);
  if (in_flight_ >= window_) in_flight_ = window_ - 1;
  ++probes_;
  last_sent_ = now;
  check_sending();
}

TimePoint Connection::due() const {
  TimePoint due = acknowledge_at_;
  if (!sent_.empty()) due = std::min(due, last_sent_ + timeout());
  return due;
}

bool Connection::is_dead(TimePoint now) const {
  return oldest_unanswered_ != kNever && now - oldest_unanswered_ > limits_.silence_max;
}

std::string Connection::close_packet() {
  std::string packet;
  Writer writer(packet);
  writer.type(PacketType::kData).fixed(peer_id_).fixed(next_packet_++);
  if (!packets_.ranges().empty()) write_acknowledgement(writer, packets_);
  writer.type(FrameType::kClose);
  return packet;
}

}  // namespace hector::udp
