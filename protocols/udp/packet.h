// What: the packets and frames of Hector's UDP messaging, to octets and back.
// Why: the wire format of README.md in one place, for both directions and for the fuzz target.
// Who: Connection, Conversation, the client and the server.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace hector::udp {

using Octets = std::span<const std::uint8_t>;

inline Octets octets_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

enum class PacketType : std::uint8_t {
  kHello = 1,
  kCookie = 2,
  kWelcome = 3,
  kData = 4,
  kReset = 5,
  kMulticast = 6,
  kDidYouSend = 7,
  kISent = 8,
  kUnknownRecord = 9
};
enum class FrameType : std::uint8_t {
  kAcknowledge = 1,
  kFragment = 2,
  kPing = 3,
  kClose = 4,
  kLimit = 5
};
enum class MessageType : std::uint8_t {
  kRequest = 1,
  kReply = 2,
  kFlowData = 3,
  kFlowEnd = 4,
  kFlowCredit = 5,
  kCancel = 6
};

inline constexpr std::uint8_t kVersion = 1;  ///< of README.md's wire format
/// A hello is padded to this size, so that the answer to an unverified address is always smaller
/// (no amplification). It passes every IPv6 link, whose MTU is at least 1,280.
inline constexpr std::size_t kHelloOctets = 1'200;
inline constexpr std::size_t kCookieOctets = 24;  ///< of HMAC-SHA-256's 32
inline constexpr std::size_t kEchoOctets = 32;    ///< of a record that is not known
inline constexpr std::size_t kDigestOctets = 16;  ///< of a multicast: of SHA-256's 32
/// What the format admits; a connection admits less (ConnectionLimits::message_octets_max).
inline constexpr std::uint64_t kMessageOctetsMax = 64ULL * 1024 * 1024;

/// Appends to a buffer.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer& octet(std::uint8_t value) {
    out_.push_back(static_cast<char>(value));
    return *this;
  }
  /// A packet's, frame's or message's type.
  template <class Type>
  requires std::is_enum_v<Type> Writer& type(Type value) {
    return octet(static_cast<std::uint8_t>(value));
  }
  Writer& fixed(std::uint64_t value) {
    char octets[8];
    for (int i = 0; i < 8; ++i) octets[i] = static_cast<char>(value >> (8 * i));
    out_.append(octets, 8);
    return *this;
  }
  Writer& number(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
    return *this;
  }
  Writer& raw(const void* data, std::size_t size) {
    out_.append(static_cast<const char*>(data), size);
    return *this;
  }

 private:
  std::string& out_;
};

/// Reads from octets. After the first malformed or missing item every read yields 0 and ok() is
/// false.
class Reader {
 public:
  explicit Reader(Octets in) : in_(in) {}
  std::uint8_t octet() {
    return at_ < in_.size() ? in_[at_++] : static_cast<std::uint8_t>(broken());
  }
  std::uint64_t fixed() {
    if (in_.size() - at_ < 8) return broken();
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(in_[at_++]) << (8 * i);
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ >= in_.size()) return broken();
      const std::uint8_t octet = in_[at_++];
      value |= static_cast<std::uint64_t>(octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    return broken();
  }
  Octets raw(std::uint64_t size) {
    if (size > in_.size() - at_) {
      broken();
      return {};
    }
    const Octets part = in_.subspan(at_, size);
    at_ += size;
    return part;
  }
  [[nodiscard]] Octets rest() const { return in_.subspan(at_); }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return at_ >= in_.size(); }

 private:
  std::uint64_t broken() {
    ok_ = false;
    at_ = in_.size();
    return 0;
  }
  Octets in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

/// Numbers received, as disjoint ascending ranges [first, last].
class NumberSet {
 public:
  /// False if it was in already.
  bool add(std::uint64_t number);
  [[nodiscard]] bool contains(std::uint64_t number) const;
  [[nodiscard]] const std::vector<std::pair<std::uint64_t, std::uint64_t>>& ranges() const {
    return ranges_;
  }
  /// Forgets the lowest ranges beyond `count`; numbers below what is left count as received.
  void keep(std::size_t count);

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_;
  std::uint64_t all_below_ = 0;
};

struct Fragment {
  std::uint64_t message = 0;   ///< the sender's number, from 1
  std::uint64_t group = 0;     ///< messages of one group (not 0) arrive in order
  std::uint64_t position = 0;  ///< in the group, from 1
  std::uint64_t total = 0;
  std::uint64_t offset = 0;
  Octets data;
};
/// In one acknowledgement: 32 ranges fit a datagram and are more gaps than a window makes.
inline constexpr std::size_t kRangesMax = 32;
struct Range {
  std::uint64_t first, last;  ///< both inside
};
struct Acknowledgement {
  Range range[kRangesMax];  ///< highest first
  std::size_t count = 0;
  [[nodiscard]] std::span<const Range> ranges() const { return {range, count}; }
};
struct Frame {
  FrameType type = FrameType::kPing;
  Fragment fragment;
  Acknowledgement acknowledgement;
  std::uint64_t limit = 0;
};

void write_fragment(Writer& out, const Fragment& fragment);
void write_acknowledgement(Writer& out, const NumberSet& received);
/// Upper bound of a fragment frame's octets beside its data: type and six varints of 64 bits.
inline constexpr std::size_t kFragmentOverhead = 1 + 6 * 10;

/// The next frame of a data packet into `frame`; false at its end, or if it is malformed (then
/// `reader` is not ok).
bool read_frame(Reader& reader, Frame& frame);

}  // namespace hector::udp
