#include "frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "hector/check.h"

namespace hector::unix_sockets {

namespace {

constexpr std::size_t kTypeAt = 4, kCallAt = 5;
constexpr unsigned kOctetBits = 8;

template <class Number>
void append(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out.push_back(static_cast<char>(value >> (kOctetBits * i) & 0xff));
}

template <class Number>
Number read(const void* octets) {
  const auto* const from = static_cast<const std::uint8_t*>(octets);
  Number value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value |= static_cast<Number>(Number{from[i]} << (kOctetBits * i));
  return value;
}

bool is_type(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(FrameType::kHello) &&
         type <= static_cast<std::uint8_t>(FrameType::kRefused);
}

}  // namespace

void append_u32(std::string& out, std::uint32_t value) { append(out, value); }

std::uint32_t read_u32(std::string_view octets) {
  HECTOR_CHECK(octets.size() >= sizeof(std::uint32_t), "a number is read out of too few octets");
  return read<std::uint32_t>(octets.data());
}

std::string frame_head(FrameType type, std::uint64_t call, std::size_t body_octets) {
  HECTOR_CHECK(body_octets <= kBodyOctetsMax, "a frame is sent that no peer takes");
  std::string head;
  head.reserve(kHeadOctets);
  append(head, static_cast<std::uint32_t>(body_octets));
  head.push_back(static_cast<char>(type));
  append(head, call);
  return head;
}

std::span<std::uint8_t> FrameReader::room() {
  // A body that is not there yet is read to where it stays.
  if (head_ && begin_ == end_ && filled_ < head_->size)
    return {body_.writable() + filled_, head_->size - filled_};
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == kBufferOctets) {
    std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  HECTOR_CHECK(end_ < kBufferOctets, "frames were read that nobody took");
  return {buffer_ + end_, kBufferOctets - end_};
}

void FrameReader::advance(std::size_t octets) {
  if (head_ && begin_ == end_ && filled_ < head_->size) {
    filled_ += octets;
    HECTOR_CHECK(filled_ <= head_->size, "more of a body was read than it has");
    return;
  }
  end_ += octets;
  HECTOR_CHECK(end_ <= kBufferOctets, "more was read than there was room for");
}

Status FrameReader::read_head() {
  if (end_ - begin_ < kHeadOctets) return {};
  const std::uint8_t* const at = buffer_ + begin_;
  const Head head{read<std::uint32_t>(at), static_cast<FrameType>(at[kTypeAt]),
                  read<std::uint64_t>(at + kCallAt)};
  if (!is_type(at[kTypeAt]) || head.size > kBodyOctetsMax)
    return fail(Error::invalid_argument(
        fmt::format("no frame: type {}, {} octets; there are the types 1 to 8, with at most {}",
                    at[kTypeAt], head.size, kBodyOctetsMax)));
  begin_ += kHeadOctets;
  head_ = head;
  body_ = Bytes::allocate(head.size);
  filled_ = 0;
  return {};
}

Result<std::optional<Frame>> FrameReader::next() {
  if (!head_) HECTOR_TRY(read_head());
  if (!head_) return std::nullopt;
  const std::size_t here = std::min(head_->size - filled_, end_ - begin_);
  if (here != 0) std::memcpy(body_.writable() + filled_, buffer_ + begin_, here);
  filled_ += here;
  begin_ += here;
  if (filled_ < head_->size) return std::nullopt;
  std::optional<Frame> frame(Frame{head_->type, head_->call, std::move(body_)});
  head_.reset();
  body_ = {};
  return frame;
}

}  // namespace hector::unix_sockets
