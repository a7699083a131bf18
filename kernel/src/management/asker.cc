#include "management/asker.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "hector/socket_owner.h"

namespace hector {

namespace {

std::string user_name(std::uint32_t user) {
  constexpr std::size_t kOctets = 4'096;
  std::array<char, kOctets> text{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(user, &entry, text.data(), text.size(), &found) == 0 && found != nullptr)
    return entry.pw_name;
  return std::to_string(user);
}

/// Of a peer on this machine that is nobody else's than the capsule's own user's, or root's.
std::string local_user(const Peer& peer) {
  const auto address = loopback_address(peer.address);
  if (!address) return {};
  const auto owners = socket_owners(*address);
  const bool is_trusted = !owners.empty() && std::all_of(owners.begin(), owners.end(), [](auto id) {
    return id == geteuid() || id == 0;
  });
  return is_trusted ? user_name(owners.front()) : std::string();
}

}  // namespace

Asker asker_of(const Core& core, const Call& call) {
  const Peer* const peer = call.peer;
  if (peer == nullptr || peer == &core.own_peer)
    return {KeptCaller({core.options.principal, {}, kInProcess, Security::kPrivacy}),
            "it is in this capsule"};
  const Caller known = caller_of(peer, call.header);
  if (!known.principal.empty()) {
    const char* const by = peer->is_own_user ? "it is a process of this capsule's user, and says so"
                                             : "its channel proves it";
    return {KeptCaller(known), fmt::format("{} ({})", by, peer->protocol)};
  }
  if (const auto user = local_user(*peer); !user.empty()) {
    const std::string principal = "user:" + user;
    return {KeptCaller({principal, {}, peer->protocol, Security::kNone, true}),
            fmt::format("it is a process of user {} on this machine ({} {})", user, peer->protocol,
                        peer->address)};
  }
  return {KeptCaller(known),
          fmt::format("nothing proves who it is ({} {})", peer->protocol, peer->address)};
}

}  // namespace hector
