#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "call/error_limits.h"
#include "hector/interface.h"
#include "hector/message.h"
#include "hector/result.h"

namespace hector {

namespace {

/// Limits of what a header may carry; what is over them is refused, at the sender too by being cut
/// off there first.
constexpr std::size_t kTextOctetsMax = kErrorTextOctetsMax;
/// Of metadata, as of an error's reasons.
constexpr std::size_t kEntriesMax = kErrorReasonsMax;
/// The first octet of a header; another one is refused.
constexpr std::uint8_t kVersion = 1;

void put_number(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}
void put_text(std::string& out, std::string_view text, std::size_t octets_max = kTextOctetsMax) {
  text = text.substr(0, octets_max);
  put_number(out, text.size());
  out.append(text);
}
void put_fixed64(std::string& out, std::uint64_t value) {
  char octets[8];
  for (int i = 0; i < 8; ++i) octets[i] = static_cast<char>(value >> (8 * i));
  out.append(octets, sizeof octets);
}

/// Reads what put_… wrote; the first thing that does not fit makes it fail for good.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ >= in_.size()) return broken();
      const auto octet = static_cast<std::uint8_t>(in_[at_++]);
      value |= static_cast<std::uint64_t>(octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    return broken();
  }
  std::uint64_t fixed64() {
    if (in_.size() - at_ < 8) return broken();
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i)
      value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(in_[at_++])) << (8 * i);
    return value;
  }
  std::uint8_t octet() {
    if (at_ >= in_.size()) return static_cast<std::uint8_t>(broken());
    return static_cast<std::uint8_t>(in_[at_++]);
  }
  void text(std::string& out, std::size_t octets_max = kTextOctetsMax) {
    const std::uint64_t size = number();
    if (size > octets_max || size > in_.size() - at_) {
      broken();
      return;
    }
    out.assign(in_.substr(at_, size));
    at_ += size;
  }
  void octets(std::uint8_t* out, std::size_t size) {
    if (in_.size() - at_ < size) {
      broken();
      return;
    }
    std::memcpy(out, in_.data() + at_, size);
    at_ += size;
  }
  void metadata(Metadata& out) {
    const std::uint64_t count = number();
    if (count > kEntriesMax) broken();
    out.clear();
    for (std::uint64_t i = 0; i < count && ok_; ++i) {
      auto& entry = out.emplace_back();
      text(entry.first);
      text(entry.second);
    }
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t used() const { return at_; }

 private:
  std::uint64_t broken() {
    ok_ = false;
    at_ = in_.size();
    return 0;
  }
  std::string_view in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

void put_metadata(std::string& out, const Metadata& metadata) {
  put_number(out, std::min(metadata.size(), kEntriesMax));
  for (std::size_t i = 0; i < std::min(metadata.size(), kEntriesMax); ++i) {
    put_text(out, metadata[i].first);
    put_text(out, metadata[i].second);
  }
}

enum : std::uint8_t {
  kHasDeadline = 1,
  kHasTrace = 2,
  kHasSession = 4,
  kHasNames = 8,
  kHasMetadata = 16,
  kHasPrincipal = 32
};

}  // namespace

bool TraceContext::is_set() const noexcept {
  return std::any_of(trace_id.begin(), trace_id.end(),
                     [](std::uint8_t octet) { return octet != 0; });
}

std::string TraceContext::traceparent() const {
  std::string out = "00-";
  for (const auto octet : trace_id) out += fmt::format("{:02x}", octet);
  out += '-';
  for (const auto octet : span_id) out += fmt::format("{:02x}", octet);
  return out + fmt::format("-{:02x}", flags);
}

std::optional<TraceContext> TraceContext::parse(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
      text.substr(0, 2) == "ff")
    return std::nullopt;
  TraceContext context;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  const auto read = [&](std::size_t at, std::uint8_t* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const int high = digit(text[at + 2 * i]);
      const int low = digit(text[at + 2 * i + 1]);
      if (high < 0 || low < 0) return false;
      out[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
  };
  if (!read(3, context.trace_id.data(), 16) || !read(36, context.span_id.data(), 8) ||
      !read(53, &context.flags, 1)) {
    return std::nullopt;
  }
  if (!context.is_set()) return std::nullopt;
  return context;
}

void encode_header(const Header& header, TimePoint now, std::string& out) {
  std::uint8_t flags = 0;
  if (header.deadline != kNever) flags |= kHasDeadline;
  if (header.trace.is_set()) flags |= kHasTrace;
  if (header.session != 0) flags |= kHasSession;
  if (header.operation == kByName) flags |= kHasNames;
  if (!header.metadata.empty()) flags |= kHasMetadata;
  if (!header.principal.empty()) flags |= kHasPrincipal;
  out.push_back(static_cast<char>(kVersion));
  out.push_back(static_cast<char>(flags));
  put_fixed64(out, header.offer);
  if (flags & kHasSession) {
    put_fixed64(out, header.session);
    put_number(out, header.sequence);
  }
  if (flags & kHasDeadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(header.deadline - now).count();
    put_number(out, static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0)));
  }
  if (flags & kHasTrace) {
    out.append(reinterpret_cast<const char*>(header.trace.trace_id.data()), 16);
    out.append(reinterpret_cast<const char*>(header.trace.span_id.data()), 8);
    out.push_back(static_cast<char>(header.trace.flags));
  }
  if (flags & kHasNames) {
    put_text(out, header.object);
    put_text(out, header.interface_name);
    put_text(out, header.operation_name);
  } else {
    put_number(out, header.operation);
  }
  if (flags & kHasPrincipal) put_text(out, header.principal);
  if (flags & kHasMetadata) put_metadata(out, header.metadata);
}

Result<std::size_t> decode_header(std::string_view in, TimePoint now, Header& header) {
  Reader reader(in);
  if (reader.octet() != kVersion)
    return fail(Code::kInvalidArgument, "not a Hector header of version 1");
  const std::uint8_t flags = reader.octet();
  header.offer = reader.fixed64();
  header.session = header.sequence = 0;
  bool is_late = false;
  header.deadline = kNever;
  header.trace = {};
  header.operation = kByName;
  header.metadata.clear();
  header.object.clear();
  header.interface_name.clear();
  header.operation_name.clear();
  header.principal.clear();
  if (flags & kHasSession) {
    header.session = reader.fixed64();
    header.sequence = reader.number();
  }
  if (flags & kHasDeadline) {
    // A year, in µs: a larger number would overflow the clock's.
    constexpr std::uint64_t kLongest = 366ULL * 24 * 3600 * 1'000'000;
    const std::uint64_t left = std::min(reader.number(), kLongest);
    is_late = left == 0;
    header.deadline = now + std::chrono::microseconds(left);
  }
  if (flags & kHasTrace) {
    reader.octets(header.trace.trace_id.data(), 16);
    reader.octets(header.trace.span_id.data(), 8);
    header.trace.flags = reader.octet();
  }
  if (flags & kHasNames) {
    reader.text(header.object);
    reader.text(header.interface_name);
    reader.text(header.operation_name);
  } else {
    const std::uint64_t operation = reader.number();
    if (operation >= kByName)
      return fail(Code::kInvalidArgument, "a header names an operation by too large a number");
    header.operation = static_cast<std::uint32_t>(operation);
  }
  if (flags & kHasPrincipal) reader.text(header.principal);
  if (flags & kHasMetadata) reader.metadata(header.metadata);
  if (!reader.ok() || (flags & 0xc0) != 0)
    return fail(Code::kInvalidArgument, "a header is cut short or malformed");
  if (is_late) return fail(Code::kDeadlineExceeded, "the deadline was over when the call was sent");
  return reader.used();
}

void encode_outcome(const Error* error, const Metadata& trailing, std::string& out) {
  out.push_back(static_cast<char>(error == nullptr ? 0 : static_cast<int>(error->code)));
  if (error != nullptr) {
    put_text(out, error->message);
    put_text(out, error->type);
    put_text(out, error->detail, kErrorDetailOctetsMax);
    put_number(out, std::min(error->reasons.size(), kEntriesMax));
    for (std::size_t i = 0; i < std::min(error->reasons.size(), kEntriesMax); ++i)
      put_text(out, error->reasons[i]);
  }
  put_metadata(out, trailing);
}

Result<std::size_t> decode_outcome(std::string_view in, Outcome& outcome) {
  Reader reader(in);
  const std::uint8_t code = reader.octet();
  outcome.error.reset();
  if (code != 0) {
    Error& error = outcome.error.emplace();
    error.code = code_from_number(code);
    reader.text(error.message);
    reader.text(error.type);
    reader.text(error.detail, kErrorDetailOctetsMax);
    const std::uint64_t reasons = reader.number();
    if (reasons > kEntriesMax) return fail(Code::kInvalidArgument, "a reply has too many reasons");
    for (std::uint64_t i = 0; i < reasons && reader.ok(); ++i)
      reader.text(error.reasons.emplace_back());
  }
  reader.metadata(outcome.trailing);
  if (!reader.ok()) return fail(Code::kInvalidArgument, "a reply is cut short or malformed");
  return reader.used();
}

}  // namespace hector
