#include "connection.h"

#include <algorithm>
#include <utility>

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
constexpr std::size_t kTimeoutWindowDatagrams = 4;  ///< after repeated time-outs
/// One or two time-outs in a row may be a busy peer; three are a path that carries less.
constexpr int kTimeoutsUntilShrink = 3;
/// Gaps in the packet numbers that are remembered: more than a window of 32 packets can make.
constexpr std::size_t kRangesKept = 256;
constexpr std::size_t kIncompleteMax = 16'384;  ///< messages in reassembly, against a hostile peer
/// Gaps in the message numbers: a lost packet makes one, and no window has so many packets.
constexpr std::size_t kMessageGapsMax = 8'192;
/// Groups whose position is remembered: at least so many, at most twice.
constexpr std::size_t kGroupsMax = 65'536;
/// Gaps in the numbers of flows that have ended: flows that are still open make them.
constexpr std::size_t kEndedFlowRangesMax = 4'096;
/// What an entry of a table costs beside its octets.
constexpr std::size_t kEntryOctets = 256;
constexpr std::size_t kPieceOctets = 128;  ///< of a part that came out of order
/// A message's memory grows so many times what has come of it, until it is all there.
constexpr std::size_t kGrowth = 8;
/// Its first memory: most messages are smaller.
constexpr std::size_t kFirstOctets = 1'024;
/// A packet may be begun just below the limit.
constexpr std::uint64_t kOverWindow = 64 * 1024;
/// Header and outcome that a message carries beside its payload of message_octets_max.
constexpr std::uint64_t kHeaderOctetsMax = 64 * 1024;

}  // namespace

void Connection::send(std::uint64_t group, std::string_view head, Bytes body) {
  const std::uint64_t number = next_message_++;
  HECTOR_CHECK(number - first_outgoing_ == outgoing_.size(), "a message's number is not the next");
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
  if (!reader.ok() || !violation_.empty()) return false;
  heard_ = now;
  if (!packets_.add(number)) {  // a duplicate: its acknowledgement was lost
    acknowledge_at_ = now;
    return true;
  }
  packets_.keep(kRangesKept);
  bool needs_answer = false;
  Frame frame;
  while (violation_.empty() && read_frame(reader, frame)) {
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
      return take_fragment(frame.fragment, now, deliver);
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

void Connection::take_fragment(const Fragment& fragment, TimePoint now,
                               std::vector<Bytes>& deliver) {
  if (messages_.contains(fragment.message)) return;
  const auto known = incoming_.find(fragment.message);
  if (known == incoming_.end() && fragment.data.size() == fragment.total) {  // whole
    Incoming whole;
    whole.group = fragment.group;
    whole.position = fragment.position;
    whole.total = fragment.total;
    whole.content = Bytes::copy(fragment.data.data(), fragment.data.size());
    octets_received_ += fragment.data.size();
    progressed_ = now;
    finish(fragment.message, whole, deliver);
    return check_limits();
  }
  if (known == incoming_.end()) hold(kEntryOctets);
  Incoming& incoming = incoming_[fragment.message];
  if (incoming.total == 0) {
    incoming.group = fragment.group;
    incoming.position = fragment.position;
    incoming.total = fragment.total;
  }
  if (incoming.total != fragment.total) return;
  const std::uint64_t before = octets_received_;
  reassemble(incoming, fragment);
  if (octets_received_ != before) progressed_ = now;
  if (incoming.whole_until == incoming.total) {
    Incoming whole = std::move(incoming);
    incoming_.erase(fragment.message);
    release(kEntryOctets + whole.whole_until);
    finish(fragment.message, whole, deliver);
  }
  check_limits();
}

/// A sender may cut a message differently when it sends it again: only what is new counts.
void Connection::reassemble(Incoming& incoming, const Fragment& fragment) {
  HECTOR_CHECK(fragment.offset + fragment.data.size() <= incoming.total,
               "read_frame() let a fragment pass that reaches beyond its message");
  std::uint64_t at = fragment.offset;
  Octets data = fragment.data;
  const auto skip = [&](std::uint64_t until) {
    const std::uint64_t part = std::min<std::uint64_t>(data.size(), until - std::min(until, at));
    data = data.subspan(part);
    at += part;
  };
  skip(incoming.whole_until);
  if (data.empty()) return;
  if (at > incoming.whole_until) return keep_beyond(incoming, at, data);
  append(incoming, at, data);
  while (!incoming.beyond.empty() && incoming.beyond.begin()->first <= incoming.whole_until) {
    const auto node = incoming.beyond.extract(incoming.beyond.begin());
    const std::string& octets = node.mapped();
    release(kPieceOctets + octets.size());
    const std::uint64_t known =
        std::min<std::uint64_t>(octets.size(), incoming.whole_until - node.key());
    octets_received_ -= octets.size();  // append() counts again what is new
    if (known == octets.size()) continue;
    append(incoming, node.key() + known,
           {reinterpret_cast<const std::uint8_t*>(octets.data()) + known, octets.size() - known});
  }
}

/// The octets that are next, into memory that grows with what has come.
void Connection::append(Incoming& incoming, std::uint64_t offset, Octets data) {
  HECTOR_CHECK(offset == incoming.whole_until, "a message is appended to behind a gap");
  const std::uint64_t end = offset + data.size();
  HECTOR_CHECK(end <= incoming.total, "a message has more octets than it said");
  if (end > incoming.content.size()) {
    const std::uint64_t size = std::min<std::uint64_t>(
        incoming.total, std::max<std::uint64_t>(kFirstOctets, end * kGrowth));
    Bytes larger = Bytes::allocate(end * 2 > incoming.total ? incoming.total : size);
    if (offset > 0) std::memcpy(larger.writable(), incoming.content.data(), offset);
    incoming.content = std::move(larger);
  }
  if (!data.empty()) std::memcpy(incoming.content.writable() + offset, data.data(), data.size());
  incoming.whole_until = end;
  octets_received_ += data.size();
  hold(data.size());
}

/// What is behind a gap waits in pieces of its own, without what is there already.
void Connection::keep_beyond(Incoming& incoming, std::uint64_t offset, Octets data) {
  auto& beyond = incoming.beyond;
  const std::uint64_t end = offset + data.size();
  std::uint64_t at = offset;
  auto next = beyond.upper_bound(at);
  if (next != beyond.begin()) {
    const auto& [start, octets] = *std::prev(next);
    at = std::max(at, std::min(end, start + octets.size()));
  }
  while (at < end) {
    const std::uint64_t stop = next == beyond.end() ? end : std::min(end, next->first);
    if (stop > at) {
      const auto* const begin = reinterpret_cast<const char*>(data.data()) + (at - offset);
      beyond.emplace_hint(next, at, std::string(begin, stop - at));
      octets_received_ += stop - at;
      hold(kPieceOctets + (stop - at));
    }
    if (next == beyond.end()) return;
    at = std::max(stop, next->first + next->second.size());
    ++next;
  }
}

void Connection::finish(std::uint64_t message, Incoming& incoming, std::vector<Bytes>& deliver) {
  const bool is_new = messages_.add(message);
  HECTOR_CHECK(is_new, "a message is finished twice");
  const std::uint64_t group = incoming.group;
  if (group == 0) return hand_over(std::move(incoming.content), deliver);
  if (is_over(group)) return count_handed_over(incoming.total);
  std::uint64_t& next = next_in_group(group);
  if (incoming.position > next) {
    hold(kEntryOctets + incoming.total);
    if (waiting_.emplace(std::pair(group, incoming.position), std::move(incoming.content)).second)
      return;
    release(kEntryOctets + incoming.total);
    return count_handed_over(incoming.total);
  }
  if (incoming.position < next) return count_handed_over(incoming.total);
  ++next;
  hand_over(std::move(incoming.content), deliver);
  if (waiting_.empty()) return;
  for (auto at = waiting_.find({group, next}); at != waiting_.end();
       at = waiting_.find({group, next})) {
    ++next;
    release(kEntryOctets + at->second.size());
    hand_over(std::move(at->second), deliver);
    waiting_.erase(at);
  }
}

/// The peer may send as many more.
void Connection::count_handed_over(std::uint64_t octets) {
  octets_handed_over_ += octets;
  HECTOR_CHECK(octets_handed_over_ <= octets_received_, "more is handed over than has come");
  if (limit_told_ < octets_handed_over_ + limits_.receive_window_octets / 2) tell_limit_ = true;
}

void Connection::hand_over(Bytes message, std::vector<Bytes>& deliver) {
  count_handed_over(message.size());
  deliver.push_back(std::move(message));
}

std::uint64_t& Connection::next_in_group(std::uint64_t group) {
  if (const auto found = groups_.find(group); found != groups_.end()) return found->second;
  std::uint64_t next = 1;
  if (const auto before = groups_before_.find(group); before != groups_before_.end()) {
    next = before->second;
    groups_before_.erase(before);
  }
  if (groups_.size() >= kGroupsMax) groups_before_ = std::exchange(groups_, {});
  return groups_.emplace(group, next).first->second;
}

bool Connection::is_over(std::uint64_t group) const {
  return (group & kFlowGroup) != 0 && !groups_.contains(group) && !groups_before_.contains(group) &&
         ended_flows_.contains(group & ~kFlowGroup);
}

void Connection::end_group(std::uint64_t group) {
  HECTOR_CHECK((group & kFlowGroup) != 0, "only flows end; a session's group may go on");
  groups_.erase(group);
  groups_before_.erase(group);
  group_positions_.erase(group);
  ended_flows_.add(group & ~kFlowGroup);
  ended_flows_.keep(kEndedFlowRangesMax);
  const auto first = waiting_.lower_bound({group, 0});
  auto last = first;
  for (; last != waiting_.end() && last->first.first == group; ++last) {
    count_handed_over(last->second.size());
    release(kEntryOctets + last->second.size());
  }
  waiting_.erase(first, last);
}

void Connection::release(std::size_t octets) {
  HECTOR_CHECK(octets <= held_, "more memory is given back than was held");
  held_ -= octets;
}

void Connection::check_limits() {
  if (octets_received_ > limit_told_ + kOverWindow)
    violation_ = "the peer sends more than its window allows";
  else if (held_ > limits_.held_octets_max)
    violation_ = "the peer has too much in messages that are not whole or out of order";
  else if (incoming_.size() > kIncompleteMax)
    violation_ = "the peer has begun too many messages";
  else if (messages_.ranges().size() > kMessageGapsMax)
    violation_ = "the peer leaves too many gaps in its messages' numbers";
}

bool Connection::is_stalled(TimePoint now) const {
  return held_ > 0 && now - progressed_ > limits_.stalled_max;
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
  tell_limit_ = tell_limit_ || sent.tells_limit;
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
  sent.tells_limit = tell_limit_;
  sent.pieces.clear();
  bool needs_answer = false;
  if (tell_limit_) {
    limit_told_ = octets_handed_over_ + limits_.receive_window_octets;
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
  HECTOR_CHECK(incoming_.size() <= kIncompleteMax + 1,
               "more messages in reassembly than the limit");
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
