// What: keys and attachments of Hector's use of zenoh, and addresses.
// Why: both sides use the same code; README.md specifies the format.
// Who: the zenoh protocol's client and server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hector/host_port.h"
#include "hector/message.h"
#include "zenoh_c/hector_zenoh.h"

namespace hector::zenohp {

/// As every protocol of Hector's.
inline constexpr std::uint64_t kMessageOctetsMax = 16ULL * 1024 * 1024;
/// Credit that one mark may give: a hostile peer cannot overflow the window.
inline constexpr std::uint64_t kCreditMax = UINT32_MAX;

/// The beginning of an attachment. In requests (queries and announcements) an encoded Header
/// follows.
enum class Type : std::uint8_t {
  kRequest = 1,
  kOutcome = 2,
  kFlowData = 3,
  kFlowEnd = 4,
  kFlowCredit = 5,
  kCancel = 6
};
struct Mark {
  Type type = Type::kRequest;
  std::uint64_t client = 0;  ///< whose inbox answers go to
  std::uint64_t call = 0;
  /// Credit in octets; a cancellation's code; of a request: kind << 4 | flow.
  std::uint64_t number = 0;
};
void write_mark(const Mark& mark, std::string& out);
/// The octets used; nothing if the octets are no mark.
std::optional<std::size_t> read_mark(std::string_view in, Mark& mark);

/// "CAPSULE@LOCATOR", as in "south@tcp/127.0.0.1:7449".
struct Address {
  std::string capsule;
  std::string locator;
  [[nodiscard]] std::string text() const { return capsule + "@" + locator; }
  static Result<Address> parse(const std::string& text);
};

/// "tcp/HOST:PORT" and zenoh's other protocols, with zenoh's metadata and configuration behind '?'
/// and '#'.
struct Locator {
  std::string protocol;
  std::optional<HostPort> place;  ///< none where the protocol's address is no HOST:PORT
  std::string rest;               ///< "?…#…", or the whole address where there is no `place`
  [[nodiscard]] std::string text() const;
  /// INVALID_ARGUMENT with what is wrong.
  static Result<Locator> parse(const std::string& text);
};

std::string object_key(const std::string& capsule, const std::string& object,
                       const std::string& operation);
/// Where a Binding's messages go. Declared literally, not matched by a wildcard, so that zenoh
/// resolves its route once.
std::string session_key(const std::string& capsule);
std::string inbox_key(const std::string& capsule);
std::string ping_key(const std::string& capsule);
std::string presence_key(const std::string& capsule);
/// A client's inbox, and the liveliness token that stands for it.
std::string client_key(std::uint64_t client);
inline constexpr const char* kAllClientsKey = "hector/@client/*";  ///< of every client at once
/// Nothing: it is no client's.
std::optional<std::uint64_t> client_of_key(std::string_view key);

inline hz_slice slice(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view view(hz_slice slice) {
  return {reinterpret_cast<const char*>(slice.data), slice.size};
}
/// What a program without Hector sends, by its encoding and, where it says none, by its beginning.
enum class Form : std::uint8_t {
  kMessage,
  kJson,
  kJsonOrMessage,  ///< no encoding, and it looks like JSON: what cannot be read so is a message
  kUnknown
};
Form form_of(std::string_view encoding, std::string_view payload);

/// Takes the message of a failed call.
std::string take_error(char* error);

}  // namespace hector::zenohp
