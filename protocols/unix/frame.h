// What: the frames of the unix protocol, to octets and back (README.md has the format).
// Why: the wire format in one place, for both directions and for the fuzz target.
// Who: link.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "hector/bytes.h"
#include "hector/result.h"

namespace hector::unix_sockets {

inline constexpr std::uint8_t kVersion = 1;

enum class FrameType : std::uint8_t {
  kHello = 1,
  kRequest = 2,
  kReply = 3,
  kCancel = 4,
  kFlowData = 5,
  kFlowEnd = 6,
  kFlowCredit = 7,
  kRefused = 8,
};

/// What a call may carry.
inline constexpr std::size_t kMessageOctetsMax = 16UL * 1024 * 1024;
/// A message with the header or the outcome before it.
inline constexpr std::size_t kBodyOctetsMax = kMessageOctetsMax + 1024 * 1024;
/// Length, type, number of the call.
inline constexpr std::size_t kHeadOctets = 4 + 1 + 8;

struct Frame {
  FrameType type = FrameType::kHello;
  std::uint64_t call = 0;
  Bytes body;
};

/// The head of a frame whose body has so many octets.
std::string frame_head(FrameType type, std::uint64_t call, std::size_t body_octets);
void append_u32(std::string& out, std::uint32_t value);
std::uint32_t read_u32(std::string_view octets);

/// Makes frames of a stream of octets. One thread. It keeps no more than the peer has sent, and one
/// body's memory, which costs nothing before it is filled.
class FrameReader {
 public:
  /// Where the next octets go, once next() has nothing left: never empty.
  std::span<std::uint8_t> room();
  /// So many octets have come there.
  void advance(std::size_t octets);
  /// The next whole frame, until there is none. INVALID_ARGUMENT: no frame can begin like this;
  /// nothing more is to be read.
  Result<std::optional<Frame>> next();

 private:
  static constexpr std::size_t kBufferOctets = 16UL * 1024;
  struct Head {
    std::size_t size = 0;
    FrameType type = FrameType::kHello;
    std::uint64_t call = 0;
  };
  Status read_head();

  std::uint8_t buffer_[kBufferOctets];
  std::size_t begin_ = 0, end_ = 0;  ///< what has arrived and was not looked at
  std::optional<Head> head_;
  Bytes body_;  ///< of the head
  std::size_t filled_ = 0;
};

}  // namespace hector::unix_sockets
