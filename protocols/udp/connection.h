// What: Connection, one side of a connection: messages to packets and packets to messages, with
// acknowledgement, retransmission, congestion control and flow control.
// Why: it owns no socket, thread or clock, so it runs alike on the machine's network, on the
// simulated one and in a unit test.
// Who: Conversation, which holds the lock around it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <string_view>
#include <vector>

#include "hector/bytes.h"
#include "hector/clock.h"
#include "packet.h"
#include "ring.h"

namespace hector::udp {

/// What both sides assume until the first limit frame has arrived (README.md).
inline constexpr std::uint64_t kFirstReceiveWindow = 64ULL * 1024 * 1024;

/// Groups with this bit are flows: numbered upwards, and over some time.
inline constexpr std::uint64_t kFlowGroup = 1ULL << 63;

struct ConnectionLimits {
  /// Below the 1,500 octets of an Ethernet frame, with room for IPv6, UDP and a tunnel.
  std::size_t datagram_octets = 1'400;
  std::uint64_t receive_window_octets = kFirstReceiveWindow;
  std::uint64_t message_octets_max = 16ULL * 1024 * 1024;
  /// A peer that acknowledges nothing for so long counts as dead.
  Duration silence_max = std::chrono::seconds(5);
  /// Octets that may be held for the peer: messages in reassembly, and those that wait for an
  /// earlier one of their group. A peer that keeps to its window needs no more than the window and
  /// what is counted for each entry.
  std::size_t held_octets_max = kFirstReceiveWindow + 4 * 1024 * 1024;
  /// A peer that holds memory here for so long without adding to it never finishes.
  Duration stalled_max = std::chrono::seconds(30);
};

/// One thread at a time: the owner locks. Times are the owner's.
class Connection {
 public:
  Connection(ConnectionLimits limits, std::uint64_t peer_id)
      : limits_(limits),
        peer_id_(peer_id),
        window_(kFirstWindowDatagrams * limits.datagram_octets) {}

  void set_peer(std::uint64_t peer_id) { peer_id_ = peer_id; }
  /// Queues a message for the peer. Messages of one group (not 0) are delivered in this order.
  void send(std::uint64_t group, std::string_view head, Bytes body);
  /// Handles a data packet after its type and id. Complete messages go to `deliver`, in the order
  /// of their groups. False: the packet is malformed; its remaining frames were ignored.
  bool receive(Octets packet, TimePoint now, std::vector<Bytes>& deliver);
  /// Writes the next packet to send now, empty if there is none. Call until empty.
  bool next_packet(TimePoint now, std::string& packet);
  /// Retransmission on time-out. Afterwards next_packet() may have something.
  void tick(TimePoint now);
  /// When tick() is wanted, kNever if not.
  [[nodiscard]] TimePoint due() const;
  /// Whether next_packet() might have something.
  [[nodiscard]] bool has_output(TimePoint now) const {
    return !fresh_.empty() || !again_.empty() || tell_limit_ || probes_ > 0 ||
           acknowledge_at_ <= now;
  }
  /// Asks the peer for a sign of life in the next packet.
  void ping() { ++probes_; }
  /// When the peer was last heard.
  [[nodiscard]] TimePoint heard() const { return heard_; }
  [[nodiscard]] bool is_dead(TimePoint now) const;
  /// Memory is held for the peer, and it has added nothing for ConnectionLimits::stalled_max.
  [[nodiscard]] bool is_stalled(TimePoint now) const;
  [[nodiscard]] bool peer_closed() const { return peer_closed_; }
  /// What the peer did that no peer of ours does; empty if nothing. The connection is over then.
  [[nodiscard]] std::string_view violation() const { return violation_; }
  /// Octets held for the peer, with what each entry costs beside its octets.
  [[nodiscard]] std::size_t held() const { return held_; }
  /// When the peer last added to what is held.
  [[nodiscard]] TimePoint progressed() const { return progressed_; }
  /// A flow is over: nothing of its group is remembered, and what still arrives of it is dropped.
  void end_group(std::uint64_t group);
  /// The last packet: tells the peer that the connection ends.
  std::string close_packet();
  [[nodiscard]] std::size_t unsent() const { return unsent_; }
  [[nodiscard]] Duration round_trip() const { return smoothed_; }
  [[nodiscard]] std::uint64_t retransmitted() const { return retransmitted_; }

 private:
  struct Piece {
    std::uint64_t message;
    std::uint64_t offset;
    std::uint64_t size;
  };
  struct Outgoing {
    std::uint64_t group = 0;
    std::uint64_t position = 0;
    std::string head;
    Bytes body;
    std::uint64_t acknowledged = 0;
    bool is_done = false;
    [[nodiscard]] std::uint64_t total() const { return head.size() + body.size(); }
  };
  struct Incoming {
    std::uint64_t group = 0;
    std::uint64_t position = 0;
    std::uint64_t total = 0;
    /// Everything before `whole_until`. It has room for some more, never for what a peer only
    /// claims.
    Bytes content;
    std::uint64_t whole_until = 0;
    std::map<std::uint64_t, std::string> beyond;  ///< behind a gap: offset to octets, disjoint
  };
  struct Sent {
    std::uint64_t number;
    TimePoint at;
    std::size_t octets;
    bool in_flight = true;
    bool tells_limit = false;
    std::vector<Piece> pieces;
  };
  using Positions = boost::unordered_flat_map<std::uint64_t, std::uint64_t>;

  /// Null once every octet of it was acknowledged.
  [[nodiscard]] Outgoing* outgoing(std::uint64_t message);
  void take_frame(const Frame& frame, TimePoint now, std::vector<Bytes>& deliver);
  void plan_acknowledgement(std::uint64_t number, TimePoint now);
  /// Copies what `fragment` adds to the message; overlaps with earlier fragments are skipped.
  void reassemble(Incoming& incoming, const Fragment& fragment);
  void append(Incoming& incoming, std::uint64_t offset, Octets data);
  void keep_beyond(Incoming& incoming, std::uint64_t offset, Octets data);
  void take_fragment(const Fragment& fragment, TimePoint now, std::vector<Bytes>& deliver);
  /// All octets of `incoming` are there.
  void finish(std::uint64_t message, Incoming& incoming, std::vector<Bytes>& deliver);
  /// What comes next in a group of which nothing is known is 1.
  std::uint64_t& next_in_group(std::uint64_t group);
  [[nodiscard]] bool is_over(std::uint64_t group) const;
  void count_handed_over(std::uint64_t octets);
  void hand_over(Bytes message, std::vector<Bytes>& deliver);
  void hold(std::size_t octets) { held_ += octets; }
  void release(std::size_t octets);
  void check_limits();
  void take_acknowledgement(const Acknowledgement& acknowledgement, TimePoint now);
  void acknowledged(Sent& sent);
  void lost(Sent& sent);
  void land(Sent& sent);
  void add_lost_pieces(Sent& sent, std::string& packet);
  void add_fresh_pieces(Sent& sent, std::string& packet);
  /// Invariants of the sending and of the receiving half.
  void check_sending() const;
  void check_receiving() const;
  void copy_piece(const Outgoing& outgoing, const Piece& piece, std::string& out);
  void measure(Duration sample);
  [[nodiscard]] Duration timeout() const;

  /// RFC 9002 begins with 10 datagrams; ours stay on one site (Reach::kSite).
  static constexpr std::size_t kFirstWindowDatagrams = 32;

  ConnectionLimits limits_;
  std::uint64_t peer_id_;
  // sending
  std::uint64_t next_message_ = 1;
  std::uint64_t next_packet_ = 1;
  std::uint64_t first_outgoing_ = 1;  ///< the number of outgoing_'s front
  Ring<Outgoing> outgoing_;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> group_positions_;
  Ring<Piece> fresh_;  ///< whole messages, cut as they go
  Ring<Piece> again_;  ///< to retransmit
  Ring<Sent> sent_;    ///< by ascending number; 0: acknowledged or given up as lost
  std::size_t unsent_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t window_;
  std::size_t threshold_ = SIZE_MAX;
  std::uint64_t recovery_until_ = 0;  ///< packets below it do not shrink the window again
  std::uint64_t octets_fresh_ = 0;
  std::uint64_t peer_limit_ = kFirstReceiveWindow;
  Duration smoothed_{0}, deviation_{0};
  int timeouts_ = 0;
  int probes_ = 0;
  TimePoint heard_{};
  TimePoint last_sent_{}, oldest_unanswered_ = kNever;
  std::uint64_t retransmitted_ = 0;
  // receiving
  NumberSet packets_;
  NumberSet messages_;
  boost::unordered_flat_map<std::uint64_t, Incoming> incoming_;
  /// The next position of each group. The older half is forgotten when the newer is full.
  Positions groups_, groups_before_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Bytes> waiting_;  ///< by group and position
  NumberSet ended_flows_;
  std::uint64_t octets_received_ = 0;
  std::uint64_t octets_handed_over_ = 0;  ///< delivered, or dropped as not wanted
  std::size_t held_ = 0;
  TimePoint progressed_{};
  std::string_view violation_;
  std::uint64_t limit_told_ = kFirstReceiveWindow;
  bool tell_limit_ = false;
  int unacknowledged_ = 0;
  TimePoint acknowledge_at_ = kNever;
  bool peer_closed_ = false;
};

}  // namespace hector::udp
