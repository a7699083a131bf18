#include "packet.h"

#include <algorithm>

namespace hector::udp {

bool NumberSet::add(std::uint64_t number) {
  if (number < all_below_) return false;
  auto at = std::upper_bound(ranges_.begin(), ranges_.end(), number,
                             [](std::uint64_t n, const auto& range) { return n < range.first; });
  if (at != ranges_.begin()) {
    auto before = std::prev(at);
    if (number <= before->second) return false;
    if (number == before->second + 1) {
      before->second = number;
      if (at != ranges_.end() && at->first == number + 1) {
        before->second = at->second;
        ranges_.erase(at);
      }
      return true;
    }
  }
  if (at != ranges_.end() && at->first == number + 1) {
    at->first = number;
  } else {
    ranges_.insert(at, {number, number});
  }
  return true;
}

bool NumberSet::contains(std::uint64_t number) const {
  if (number < all_below_) return true;
  const auto at =
      std::upper_bound(ranges_.begin(), ranges_.end(), number,
                       [](std::uint64_t n, const auto& range) { return n < range.first; });
  return at != ranges_.begin() && number <= std::prev(at)->second;
}

void NumberSet::keep(std::size_t count) {
  if (ranges_.size() <= count) return;
  const auto dropped = static_cast<std::ptrdiff_t>(ranges_.size() - count);
  all_below_ = ranges_[static_cast<std::size_t>(dropped) - 1].second + 1;
  ranges_.erase(ranges_.begin(), ranges_.begin() + dropped);
}

void write_fragment(Writer& out, const Fragment& fragment) {
  out.octet(static_cast<std::uint8_t>(FrameType::kFragment))
      .number(fragment.message)
      .number(fragment.group);
  if (fragment.group != 0) out.number(fragment.position);
  out.number(fragment.total).number(fragment.offset).number(fragment.data.size());
  out.raw(fragment.data.data(), fragment.data.size());
}

void write_acknowledgement(Writer& out, const NumberSet& received) {
  const auto& ranges = received.ranges();
  const std::size_t count = std::min(ranges.size(), kRangesMax);
  out.octet(static_cast<std::uint8_t>(FrameType::kAcknowledge)).number(count);
  std::uint64_t above = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [first, last] = ranges[ranges.size() - 1 - i];
    out.number(i == 0 ? last : above - last).number(last - first);
    above = first;
  }
}

bool read_frame(Reader& reader, Frame& frame) {
  if (reader.at_end()) return false;
  const std::uint8_t type = reader.octet();
  switch (static_cast<FrameType>(type)) {
    case FrameType::kAcknowledge: {
      frame.type = FrameType::kAcknowledge;
      const std::uint64_t count = reader.number();
      if (count > kRangesMax) break;
      std::uint64_t above = 0;
      frame.acknowledgement.count = 0;
      for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        const std::uint64_t step = reader.number();
        const std::uint64_t length = reader.number();
        if (i != 0 && step > above) return reader.raw(UINT64_MAX), false;
        const std::uint64_t last = i == 0 ? step : above - step;
        if (length > last) return reader.raw(UINT64_MAX), false;
        frame.acknowledgement.range[frame.acknowledgement.count++] = {last - length, last};
        above = last - length;
      }
      return reader.ok();
    }
    case FrameType::kFragment: {
      frame.type = FrameType::kFragment;
      Fragment& fragment = frame.fragment = {};
      fragment.message = reader.number();
      fragment.group = reader.number();
      if (fragment.group != 0) fragment.position = reader.number();
      fragment.total = reader.number();
      fragment.offset = reader.number();
      fragment.data = reader.raw(reader.number());
      if (!reader.ok() || fragment.message == 0 || fragment.total > kMessageOctetsMax ||
          fragment.offset > fragment.total ||
          fragment.data.size() > fragment.total - fragment.offset ||
          (fragment.group != 0 && fragment.position == 0) ||
          (fragment.data.empty() && fragment.total != 0)) {
        break;
      }
      return true;
    }
    case FrameType::kPing:
    case FrameType::kClose:
      frame.type = static_cast<FrameType>(type);
      return true;
    case FrameType::kLimit:
      frame.type = FrameType::kLimit;
      frame.limit = reader.number();
      return reader.ok();
  }
  reader.raw(UINT64_MAX);  // breaks it
  return false;
}

}  // namespace hector::udp
