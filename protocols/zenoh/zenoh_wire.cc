#include "zenoh_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hector::zenohp {

namespace {
/// Begins each attachment of ours, with the format's version.
constexpr std::string_view kMagic = "HZ1";
constexpr std::size_t kMarkOctets = 3 + 1 + 3 * 8;  // magic, type, three numbers

/// What zenoh says where the publisher said nothing.
constexpr std::string_view kNoEncoding = "zenoh/bytes";

bool looks_like_json(std::string_view payload) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = payload.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return false;
  return payload[first] == '{' && payload[payload.find_last_not_of(kBlanks)] == '}';
}

void put(std::uint64_t value, std::string& out) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}
std::uint64_t get(std::string_view in, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(in[at + i])) << (8 * i);
  return value;
}
}  // namespace

void write_mark(const Mark& mark, std::string& out) {
  out.append(kMagic);
  out.push_back(static_cast<char>(mark.type));
  put(mark.client, out);
  put(mark.call, out);
  put(mark.number, out);
}

std::optional<std::size_t> read_mark(std::string_view in, Mark& mark) {
  if (in.size() < kMarkOctets || !in.starts_with(kMagic)) return std::nullopt;
  const auto type = static_cast<std::uint8_t>(in[3]);
  if (type < 1 || type > 6) return std::nullopt;
  mark = {static_cast<Type>(type), get(in, 4), get(in, 12), get(in, 20)};
  return kMarkOctets;
}

Result<Address> Address::parse(const std::string& text) {
  const auto at = text.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size() ||
      text.find('/', at) == std::string::npos) {
    return fail(Error::invalid_argument(fmt::format(
        "'{}' is not a zenoh address; expected CAPSULE@LOCATOR, as in south@tcp/127.0.0.1:7449",
        text)));
  }
  const auto locator = HECTOR_TRY(Locator::parse(text.substr(at + 1)));
  if (locator.place) HECTOR_TRY(HostPort::parse_reachable(locator.place->text()));
  return Address{text.substr(0, at), text.substr(at + 1)};
}

Result<Locator> Locator::parse(const std::string& text) {
  const auto slash = text.find('/');
  // A quotation mark would end the text in zenoh's configuration.
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size() ||
      text.find_first_of("\"\\") != std::string::npos) {
    return fail(Error::invalid_argument(
        fmt::format("'{}' is not a zenoh locator; expected tcp/HOST:PORT", text)));
  }
  Locator made{text.substr(0, slash), std::nullopt, text.substr(slash + 1)};
  for (const char* each : {"tcp", "udp", "tls", "quic", "ws"}) {
    if (made.protocol != each) continue;
    const auto end = std::min(made.rest.find_first_of("?#"), made.rest.size());
    made.place = HECTOR_TRY(HostPort::parse(made.rest.substr(0, end)));
    made.rest.erase(0, end);
  }
  return made;
}

std::string Locator::text() const {
  return fmt::format("{}/{}{}", protocol, place ? place->text() : "", rest);
}

std::string object_key(const std::string& capsule, const std::string& object,
                       const std::string& operation) {
  return fmt::format("hector/{}/{}/{}", capsule, object, operation);
}
std::string session_key(const std::string& capsule) {
  return fmt::format("hector/{}/@session", capsule);
}
std::string inbox_key(const std::string& capsule) { return fmt::format("hector/{}/@in", capsule); }
std::string ping_key(const std::string& capsule) { return fmt::format("hector/{}/@ping", capsule); }
std::string presence_key(const std::string& capsule) {
  return fmt::format("hector/@live/{}", capsule);
}
std::string client_key(std::uint64_t client) {
  return fmt::format("hector/@client/{:016x}", client);
}

std::optional<std::uint64_t> client_of_key(std::string_view key) {
  constexpr std::string_view kBefore = "hector/@client/";
  if (!key.starts_with(kBefore)) return std::nullopt;
  const std::string_view digits = key.substr(kBefore.size());
  std::uint64_t client = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), client, 16);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return client;
}

Form form_of(std::string_view encoding, std::string_view payload) {
  std::string said(encoding);
  std::transform(said.begin(), said.end(), said.begin(),
                 [](unsigned char each) { return static_cast<char>(std::tolower(each)); });
  const std::string kind = said.substr(0, said.find(';'));  // without parameters
  const auto has = [&](std::string_view part) { return kind.find(part) != std::string::npos; };
  if (has("json")) return Form::kJson;
  if (kind.empty() || kind == kNoEncoding)
    return looks_like_json(payload) ? Form::kJsonOrMessage : Form::kMessage;
  if (has("protobuf") || kind == "application/octet-stream") return Form::kMessage;
  const bool is_text = kind == "text/plain" || kind == "zenoh/string";
  return is_text && looks_like_json(payload) ? Form::kJson : Form::kUnknown;
}

std::string take_error(char* error) {
  if (error == nullptr) return "unknown reason";
  std::string text(error);
  hz_error_free(error);
  return text;
}

}  // namespace hector::zenohp
