// What: HostPort out of text and into it.
// Why: one rule for the addresses of every protocol.
// Who: protocols.
#include "hector/host_port.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hector {

namespace {

constexpr std::size_t kNameOctetsMax = 253;  // RFC 1035, 2.3.4, as text

tl::unexpected<Error> refused(std::string_view text, std::string_view why) {
  return fail(Error::invalid_argument(
      fmt::format("'{}' is not HOST:PORT: {}; expected an address as 127.0.0.1:7300 or [::1]:7300",
                  text, why)));
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  const std::string without_zone = host.substr(0, host.find('%'));
  return inet_pton(AF_INET6, without_zone.c_str(), &address) == 1;
}

bool is_name(std::string_view host) {
  return host.size() <= kNameOctetsMax && std::all_of(host.begin(), host.end(), [](char each) {
           return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                  (each >= '0' && each <= '9') || each == '.' || each == '-' || each == '_';
         });
}

/// Digits and dots only: it is meant as an IPv4 address.
bool is_meant_as_ipv4(std::string_view host) {
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// What is wrong with the host; empty: nothing.
std::string_view wrong_host(const std::string& host, bool is_in_brackets) {
  if (host.empty()) return "there is no host";
  if (is_in_brackets) return is_ipv6(host) ? "" : "what is in the brackets is no IPv6 address";
  if (host.find(':') != std::string::npos) return "an IPv6 address stands in brackets";
  if (host == "*") return "";
  if (is_meant_as_ipv4(host)) {
    in_addr address{};
    return inet_pton(AF_INET, host.c_str(), &address) == 1 ? "" : "the host is no IPv4 address";
  }
  return is_name(host) ? "" : "the host is neither a name nor an address";
}

}  // namespace

Result<HostPort> HostPort::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.back() == ']')
    return refused(text, "there is no port");
  HostPort made;
  const auto digits = text.substr(colon + 1);
  if (digits.empty()) return refused(text, "there is no port behind the colon; 0 takes any");
  const auto* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, made.port);
  if (error != std::errc() || at != end) return refused(text, "a port is a number of 0 to 65535");
  made.host = text.substr(0, colon);
  const bool is_in_brackets =
      made.host.size() >= 2 && made.host.front() == '[' && made.host.back() == ']';
  if (is_in_brackets) made.host = made.host.substr(1, made.host.size() - 2);
  if (const auto wrong = wrong_host(made.host, is_in_brackets); !wrong.empty())
    return refused(text, wrong);
  return made;
}

Result<HostPort> HostPort::parse_reachable(std::string_view text) {
  auto made = parse(text);
  if (!made) return made;
  if (made->port == 0) return refused(text, "nothing can be reached at port 0");
  if (made->host == "*") return refused(text, "'*' is no host that can be reached");
  return made;
}

std::string HostPort::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

}  // namespace hector
