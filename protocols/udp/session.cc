#include "session.h"

#include <algorithm>

namespace hector::udp {

namespace {

constexpr Duration kAcknowledgeAfter =
    std::chrono::milliseconds(4);  ///< an answer usually comes sooner and carries it
constexpr int kAcknowledgeEvery = 2;
constexpr Duration kTimeoutMin = std::chrono::milliseconds(10);
constexpr Duration kTimeoutMax = std::chrono::milliseconds(250);
constexpr Duration kFirstTimeout = std::chrono::milliseconds(60);
constexpr std::uint64_t kReorderPackets = 3;  ///< RFC 9002's packet threshold
constexpr std::size_t kRangesKept = 256;
constexpr std::size_t kIncompleteMax = 16'384;

}  // namespace

void Session::send(std::uint64_t group, std::string_view head, Bytes body) {
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

Session::Outgoing* Session::outgoing(std::uint64_t message) {
  if (message < first_outgoing_ || message - first_outgoing_ >= outgoing_.size()) return nullptr;
  Outgoing& found = outgoing_[message - first_outgoing_];
  return found.is_done ? nullptr : &found;
}

bool Session::receive(Octets packet, TimePoint now, std::vector<Bytes>& deliver) {
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
    switch (frame.type) {
      case FrameType::kAcknowledge:
        take_acknowledgement(frame.acknowledgement, now);
        break;
      case FrameType::kFragment:
        if (frame.fragment.total > limits_.message_octets_max + 64 * 1024) return false;
        needs_answer = true;
        take_fragment(frame.fragment, deliver);
        break;
      case FrameType::kPing:
        needs_answer = true;
        break;
      case FrameType::kClose:
        peer_closed_ = true;
        break;
      case FrameType::kLimit:
        needs_answer = true;
        peer_limit_ = std::max(peer_limit_, frame.limit);
        break;
    }
  }
  if (needs_answer) {
    ++unacknowledged_;
    const bool is_gap = packets_.ranges().size() > 1 && packets_.ranges().back().first == number;
    if (unacknowledged_ >= kAcknowledgeEvery || is_gap) {
      acknowledge_at_ = now;
    } else if (acknowledge_at_ == kNever) {
      acknowledge_at_ = now + kAcknowledgeAfter;
    }
  }
  return reader.ok();
}

void Session::take_fragment(const Fragment& fragment, std::vector<Bytes>& deliver) {
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
    return;  // it will come again
  Incoming& incoming = incoming_[fragment.message];
  if (incoming.total == 0) {
    incoming.group = fragment.group;
    incoming.position = fragment.position;
    incoming.total = fragment.total;
    incoming.content = Bytes::allocate(fragment.total);
  }
  if (incoming.total != fragment.total) return;
  // Senders may cut a message differently when they send it again: only what is new counts.
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
  if (incoming.received == incoming.total) {
    Incoming whole = std::move(incoming);
    incoming_.erase(fragment.message);
    finish(fragment.message, whole, deliver);
  }
}

void Session::finish(std::uint64_t message, Incoming& incoming, std::vector<Bytes>& deliver) {
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
}

void Session::measure(Duration sample) {
  if (smoothed_ == Duration::zero()) {
    smoothed_ = sample;
    deviation_ = sample / 2;
    return;
  }
  deviation_ = (3 * deviation_ + std::chrono::abs(smoothed_ - sample)) / 4;
  smoothed_ = (7 * smoothed_ + sample) / 8;
}

Duration Session::timeout() const {
  const Duration base = smoothed_ == Duration::zero()
                            ? kFirstTimeout
                            : std::max(kTimeoutMin, smoothed_ + 4 * deviation_ + kAcknowledgeAfter);
  return std::min<Duration>(kTimeoutMax, base * (1 << std::min(timeouts_, 5)));
}

void Session::acknowledged(Sent& sent) {
  if (sent.in_flight) {
    sent.in_flight = false;
    in_flight_ -= std::min(in_flight_, sent.octets);
  }
  if (window_ < threshold_) {
    window_ += sent.octets;  // slow start
  } else {
    window_ += limits_.datagram_octets * sent.octets / window_;
  }
  for (const Piece& piece : sent.pieces) {
    Outgoing* found = outgoing(piece.message);
    if (found == nullptr) continue;
    found->acknowledged += piece.size;
    if (found->acknowledged < found->total()) continue;
    found->is_done = true;
    found->body = Bytes();
  }
  for (; !outgoing_.empty() && outgoing_.front().is_done; outgoing_.pop()) ++first_outgoing_;
}

void Session::lost(Sent& sent) {
  if (sent.in_flight) {
    sent.in_flight = false;
    in_flight_ -= std::min(in_flight_, sent.octets);
  }
  for (const Piece& piece : sent.pieces) {
    if (outgoing(piece.message) == nullptr) continue;
    again_.push() = piece;
    ++retransmitted_;
  }
  if (sent.number >= recovery_until_) {
    recovery_until_ = next_packet_;
    threshold_ = std::max(window_ / 2, 8 * limits_.datagram_octets);
    window_ = threshold_;
  }
}

void Session::take_acknowledgement(const Acknowledgement& acknowledgement, TimePoint now) {
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
}

void Session::copy_piece(const Outgoing& outgoing, const Piece& piece, std::string& out) {
  Writer writer(out);
  Fragment fragment{0, outgoing.group, outgoing.position, outgoing.total(), piece.offset, {}};
  fragment.message = piece.message;
  writer.octet(static_cast<std::uint8_t>(FrameType::kFragment))
      .number(fragment.message)
      .number(fragment.group);
  if (fragment.group != 0) writer.number(fragment.position);
  writer.number(fragment.total).number(fragment.offset).number(piece.size);
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

bool Session::next_packet(TimePoint now, std::string& packet) {
  packet.clear();
  const bool acknowledge = acknowledge_at_ <= now;
  const bool may_send = in_flight_ < window_;
  const bool has_again = !again_.empty() && may_send;
  const bool has_fresh = !fresh_.empty() && may_send && octets_fresh_ < peer_limit_;
  if (!acknowledge && !has_again && !has_fresh && !tell_limit_ && probes_ == 0) return false;

  Writer writer(packet);
  writer.octet(static_cast<std::uint8_t>(PacketType::kData)).fixed(peer_id_).fixed(next_packet_);
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
    writer.octet(static_cast<std::uint8_t>(FrameType::kLimit)).number(limit_told_);
    tell_limit_ = false;
    needs_answer = true;
  }
  while (!again_.empty() && may_send) {
    const Piece piece = again_.front();
    const Outgoing* found = outgoing(piece.message);
    if (found == nullptr) {
      again_.pop();
      continue;
    }
    if (packet.size() + kFragmentOverhead + piece.size > limits_.datagram_octets &&
        !sent.pieces.empty())
      break;
    again_.pop();
    copy_piece(*found, piece, packet);
    sent.pieces.push_back(piece);
  }
  while (again_.empty() && has_fresh && !fresh_.empty() &&
         packet.size() + kFragmentOverhead < limits_.datagram_octets) {
    Piece& whole = fresh_.front();
    Piece piece = whole;
    piece.size = std::min<std::uint64_t>(
        whole.size, limits_.datagram_octets - packet.size() - kFragmentOverhead);
    copy_piece(*outgoing(piece.message), piece, packet);
    sent.pieces.push_back(piece);
    octets_fresh_ += piece.size;
    unsent_ -= piece.size;
    whole.offset += piece.size;
    whole.size -= piece.size;
    if (whole.size == 0) fresh_.pop();
  }
  if (probes_ > 0) {
    --probes_;
    if (sent.pieces.empty()) writer.octet(static_cast<std::uint8_t>(FrameType::kPing));
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
  return true;
}

void Session::tick(TimePoint now) {
  if (sent_.empty() || now < last_sent_ + timeout()) return;
  ++timeouts_;
  // The oldest packet goes again at once, whatever the window says: it is the probe.
  lost(sent_.front());
  sent_.pop();
  while (!sent_.empty() && sent_.front().number == 0) sent_.pop();
  if (timeouts_ >= 3) window_ = std::max<std::size_t>(4 * limits_.datagram_octets, window_ / 2);
  if (in_flight_ >= window_) in_flight_ = window_ - 1;
  ++probes_;
  last_sent_ = now;
}

TimePoint Session::due() const {
  TimePoint due = acknowledge_at_;
  if (!sent_.empty()) due = std::min(due, last_sent_ + timeout());
  return due;
}

bool Session::is_dead(TimePoint now) const {
  return oldest_unanswered_ != kNever && now - oldest_unanswered_ > limits_.silence_max;
}

std::string Session::close_packet() {
  std::string packet;
  Writer writer(packet);
  writer.octet(static_cast<std::uint8_t>(PacketType::kData)).fixed(peer_id_).fixed(next_packet_++);
  if (!packets_.ranges().empty()) write_acknowledgement(writer, packets_);
  writer.octet(static_cast<std::uint8_t>(FrameType::kClose));
  return packet;
}

}  // namespace hector::udp
