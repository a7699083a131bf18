// What: what every Message carries beside its payload: target, session, deadline, trace context,
// principal, metadata.
// Why: deadlines, cancellation, W3C trace context and the peer's identity reach the callee over
// every protocol alike.
// Who: channels, protocols, languages.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hector/bytes.h"
#include "hector/clock.h"
#include "hector/result.h"

namespace hector {

/// W3C Trace Context, level 1. All zero: none.
struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
  std::uint8_t flags = 0;
  [[nodiscard]] bool is_set() const noexcept;
  /// "00-<32 hex>-<16 hex>-<2 hex>".
  [[nodiscard]] std::string traceparent() const;
  static std::optional<TraceContext> parse(std::string_view traceparent);
};

/// What a channel protects its messages against.
enum class Security : std::uint8_t { kNone, kIntegrity, kPrivacy };

/// The other end. `principal` is authenticated where `security` is above kNone, else only claimed.
struct Peer {
  std::string principal;
  std::string protocol;
  std::string address;
  Security security = Security::kNone;
  /// It is within this process, or the system says that it is a process of this one's user or of
  /// root: it could do itself whatever this capsule does, and its claim counts.
  bool is_own_user = false;
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::uint32_t kByName = UINT32_MAX;

struct Header {
  std::uint64_t offer = 0;     ///< target Offer; 0: named by `object`, else by `interface_name`
  std::uint64_t session = 0;   ///< 0: an implicit binding of one call
  std::uint64_t sequence = 0;  ///< 1-based sequence number per (sender, member), flows excluded;
                               ///< 0: unordered
  std::uint32_t operation = kByName;
  Deadline deadline = kNever;
  TraceContext trace;
  std::string object;
  std::string interface_name;
  std::string operation_name;
  std::string principal;
  Metadata metadata;
};

/// The wire form of a Header that protocols without headers of their own put before the payload;
/// specified in docs/wire.md. Deadlines travel as the time that is left, so that clocks need not
/// agree.
void encode_header(const Header& header, TimePoint now, std::string& out);
/// Returns the octets used. INVALID_ARGUMENT for anything that encode_header does not write;
/// DEADLINE_EXCEEDED if no time was left.
Result<std::size_t> decode_header(std::string_view in, TimePoint now, Header& header);

/// The wire form of how a call ended, before its reply: code, message, type, detail, reasons,
/// trailing metadata.
void encode_outcome(const Error* error, const Metadata& trailing, std::string& out);
struct Outcome {
  std::optional<Error> error;
  Metadata trailing;
};
Result<std::size_t> decode_outcome(std::string_view in, Outcome& outcome);

}  // namespace hector
