#include "frame_watch.h"

#include <algorithm>
#include <cstring>

#include "hector/check.h"

namespace hector::grpcp {

namespace {

// RFC 9113, 6 and 4.1.
constexpr std::uint8_t kHeaders = 1, kSettings = 4, kPing = 6, kContinuation = 9;
constexpr std::uint8_t kAck = 1, kEndHeaders = 4;
constexpr std::size_t kTypeAt = 3, kFlagsAt = 4;

}  // namespace

Offence FrameWatch::feed(std::span<const std::uint8_t> octets) {
  while (!octets.empty()) {
    if (skip_ != 0) {
      const std::size_t skipped = std::min(skip_, octets.size());
      skip_ -= skipped;
      octets = octets.subspan(skipped);
      continue;
    }
    HECTOR_CHECK(header_size_ < kFrameHeaderOctets, "a frame's header is longer than it may be");
    const std::size_t taken = std::min(kFrameHeaderOctets - header_size_, octets.size());
    std::memcpy(header_ + header_size_, octets.data(), taken);
    header_size_ += taken;
    octets = octets.subspan(taken);
    if (header_size_ < kFrameHeaderOctets) break;
    header_size_ = 0;
    if (const Offence offence = begin_frame(); offence != Offence::kNone) return offence;
  }
  return Offence::kNone;
}

Offence FrameWatch::begin_frame() {
  skip_ = std::size_t{header_[0]} << 16U | std::size_t{header_[1]} << 8U | header_[2];
  const std::uint8_t type = header_[kTypeAt], flags = header_[kFlagsAt];
  if ((type == kPing || type == kSettings) && (flags & kAck) == 0)
    questions_.store(questions() + 1, kRelaxed);
  if (type == kSettings && (flags & kAck) != 0) is_settled_ = true;
  if (type != kHeaders && type != kContinuation) return Offence::kNone;
  // The frame's own nine octets count, so that empty ones do not come for nothing.
  const std::size_t block = open_header() + kFrameHeaderOctets + skip_;
  if (block > kHeaderBlockOctetsMax) return Offence::kLongHeader;
  const bool ends = (flags & kEndHeaders) != 0;
  open_header_.store(ends ? 0 : block, kRelaxed);
  if (!ends) return Offence::kNone;
  headers_.store(headers() + 1, kRelaxed);
  return is_settled_ || headers() <= kUnsettledCallsMax ? Offence::kNone
                                                        : Offence::kIgnoredSettings;
}

}  // namespace hector::grpcp
