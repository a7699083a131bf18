#include "packet.h"

#include <algorithm>

#include "hector/check.h"

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
  HECTOR_CHECK(count > 0, "the highest range is always kept");
  if (ranges_.size() <= count) return;
  const auto dropped = static_cast<std::ptrdiff_t>(ranges_.size() - count);
  all_below_ = ranges_[static_cast<std::size_t>(dropped) - 1].second + 1;
  ranges_.erase(ranges_.begin(), ranges_.begin() + dropped);
}

void write_fragment(Writer& out, const Fragment& fragment) {
  HECTOR_CHECK(fragment.message != 0, "message numbers begin with 1");
  HECTOR_CHECK(fragment.offset + fragment.data.size() <= fragment.total,
               "a fragment reaches beyond its message");
  out.type(FrameType::kFragment).number(fragment.message).number(fragment.group);
  if (fragment.group != 0) out.number(fragment.position);
  out.number(fragment.total).number(fragment.offset).number(fragment.data.size());
  out.raw(fragment.data.data(), fragment.data.size());
}

void write_acknowledgement(Writer& out, const NumberSet& received) {
  const auto& ranges = received.ranges();
  const std::size_t count = std::min(ranges.size(), kRangesMax);
  out.type(FrameType::kAcknowledge).number(count);
  std::uint64_t above = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [first, last] = ranges[ranges.size() - 1 - i];
    out.number(i == 0 ? last : above - last).number(last - first);
    above = first;
  }
}

namespace {

bool break_off(Reader& reader) {
  reader.raw(UINT64_MAX);
  return false;
}

/// Ranges from the highest down: the first one's last number, then the distance to each next one.
bool read_acknowledgement(Reader& reader, Acknowledgement& acknowledgement) {
  acknowledgement.count = 0;
  const std::uint64_t count = reader.number();
  if (count > kRangesMax) return break_off(reader);
  std::uint64_t above = 0;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint64_t step = reader.number();
    const std::uint64_t length = reader.number();
    if (i != 0 && step > above) return break_off(reader);
    const std::uint64_t last = i == 0 ? step : above - step;
    if (length > last) return break_off(reader);
    acknowledgement.range[acknowledgement.count++] = {last - length, last};
    above = last - length;
  }
  return reader.ok();
}

bool read_fragment(Reader& reader, Fragment& fragment) {
  fragment = {};
  fragment.message = reader.number();
  fragment.group = reader.number();
  if (fragment.group != 0) fragment.position = reader.number();
  fragment.total = reader.number();
  fragment.offset = reader.number();
  fragment.data = reader.raw(reader.number());
  const bool is_inside = fragment.total <= kMessageOctetsMax && fragment.offset <= fragment.total &&
                         fragment.data.size() <= fragment.total - fragment.offset;
  const bool is_placed = fragment.group == 0 || fragment.position != 0;
  const bool is_empty = fragment.data.empty() && fragment.total != 0;
  if (!reader.ok() || fragment.message == 0 || !is_inside || !is_placed || is_empty)
    return break_off(reader);
  return true;
}

}  // namespace

bool read_frame(Reader& reader, Frame& frame) {
  if (reader.at_end()) return false;
  frame.type = static_cast<FrameType>(reader.octet());
  switch (frame.type) {
    case FrameType::kAcknowledge:
      return read_acknowledgement(reader, frame.acknowledgement);
    case FrameType::kFragment:
      return read_fragment(reader, frame.fragment);
    case FrameType::kPing:
    case FrameType::kClose:
      return true;
    case FrameType::kLimit:
      frame.limit = reader.number();
      return reader.ok();
  }
  return break_off(reader);
}

}  // namespace hector::udp
