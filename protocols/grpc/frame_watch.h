// What: FrameWatch, the HTTP/2 frames of what a peer sends, by their headers alone.
// Why: gRPC 1.51 keeps a header block of any length until it ends, outside its quota, and owes a
// peer that does not read any number of answers. Both are seen in nine octets of each frame.
// Who: connections.cc, for each connection that was accepted.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hector::grpcp {

/// A header's octets on the wire, with its frames: four times what gRPC lets a request have.
inline constexpr std::size_t kHeaderBlockOctetsMax = 256 * 1024;

/// Calls before the peer has acknowledged our settings, and with them how many it may have at once.
inline constexpr std::uint64_t kUnsettledCallsMax = 100;

enum class Offence : std::uint8_t { kNone, kLongHeader, kIgnoredSettings };

/// One thread at a time feeds it; the questions may be asked by any thread.
class FrameWatch {
 public:
  /// What the peer sent next. After an offence the connection is to be closed, and nothing more is
  /// fed.
  Offence feed(std::span<const std::uint8_t> octets);
  /// Octets of the header block that has begun and has not ended.
  [[nodiscard]] std::size_t open_header() const { return open_header_.load(kRelaxed); }
  /// Header blocks that have ended: the peer has called something.
  [[nodiscard]] std::uint64_t headers() const { return headers_.load(kRelaxed); }
  /// Frames that must be answered: pings and settings.
  [[nodiscard]] std::uint64_t questions() const { return questions_.load(kRelaxed); }

 private:
  static constexpr auto kRelaxed = std::memory_order_relaxed;
  static constexpr std::size_t kPrefaceOctets = 24, kFrameHeaderOctets = 9;
  Offence begin_frame();

  std::size_t skip_ = kPrefaceOctets;  ///< octets before the next frame's header
  std::uint8_t header_[kFrameHeaderOctets] = {};
  std::size_t header_size_ = 0;
  bool is_settled_ = false;
  // Written by the thread that feeds, read by others.
  std::atomic<std::size_t> open_header_{0};
  std::atomic<std::uint64_t> headers_{0}, questions_{0};
};

}  // namespace hector::grpcp
