#include "hector/socket_owner.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace hector {

namespace {

constexpr std::size_t kWord = 4, kIpv4At = 12;
constexpr std::uint8_t kLoopbackNet = 127;
/// include/net/tcp_states.h: the sockets whose user the tables still know.
constexpr int kEstablished = 1, kCloseWait = 8;

/// As the tables write it: each word in this machine's order, in hexadecimal.
std::string table_text(const std::uint8_t* octets, std::size_t size) {
  std::string text;
  for (std::size_t at = 0; at < size; at += kWord) {
    std::uint32_t word = 0;
    std::memcpy(&word, octets + at, kWord);
    text += fmt::format("{:08X}", word);
  }
  return text;
}

enum class Table : std::uint8_t { kTcp, kUdp };

/// Of the lines of one table whose own address is one of these.
void add_owners(const char* file, Table table, const std::vector<std::string>& addresses,
                std::vector<std::uint32_t>& owners) {
  std::ifstream lines(file);
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string number, own, remote, state, queues, timer, retransmits;
    std::uint32_t user = 0;
    words >> number >> own >> remote >> state >> queues >> timer >> retransmits >> user;
    if (!words || std::find(addresses.begin(), addresses.end(), own) == addresses.end()) continue;
    const int at = std::stoi(state, nullptr, 16);
    if (table == Table::kUdp || at == kEstablished || at == kCloseWait) owners.push_back(user);
  }
}

}  // namespace

std::optional<NetworkAddress> loopback_address(std::string_view peer) {
  constexpr std::string_view kOpen = "%5B", kClose = "%5D", kIpv4 = "ipv4:", kIpv6 = "ipv6:";
  std::string text(peer);
  if (peer.starts_with(kIpv4) || peer.starts_with(kIpv6)) text.erase(0, kIpv4.size());
  if (text.starts_with(kOpen)) text.replace(0, kOpen.size(), "[");
  if (const auto close = text.find(kClose); close != std::string::npos)
    text.replace(close, kClose.size(), "]");
  const auto address = NetworkAddress::parse(text);
  if (!address) return std::nullopt;
  const bool is_loopback = address->is_ipv4()
                               ? address->octets[kIpv4At] == kLoopbackNet
                               : std::memcmp(address->octets, &in6addr_loopback, 16) == 0;
  return is_loopback ? std::optional(*address) : std::nullopt;
}

std::vector<std::uint32_t> socket_owners(const NetworkAddress& address) {
  const std::string port = fmt::format(":{:04X}", address.port);
  const std::uint8_t nothing[16] = {};
  std::vector<std::string> tcp{table_text(address.octets, sizeof address.octets) + port};
  // A datagram socket may be bound to every address.
  std::vector<std::string> udp = tcp;
  udp.push_back(table_text(nothing, sizeof nothing) + port);
  std::vector<std::uint32_t> owners;
  add_owners("/proc/self/net/tcp6", Table::kTcp, tcp, owners);
  add_owners("/proc/self/net/udp6", Table::kUdp, udp, owners);
  if (!address.is_ipv4()) return owners;
  tcp = {table_text(address.octets + kIpv4At, kWord) + port};
  udp = {tcp.front(), table_text(nothing, kWord) + port};
  add_owners("/proc/self/net/tcp", Table::kTcp, tcp, owners);
  add_owners("/proc/self/net/udp", Table::kUdp, udp, owners);
  return owners;
}

}  // namespace hector
