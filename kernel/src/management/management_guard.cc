#include "management/management_guard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "hector/management/v1/management.pb.h"
#include "hector/message_calls.h"
#include "hector/socket_owner.h"

namespace hector {

namespace {

/// Operations that change nothing; whatever is added is guarded.
constexpr std::string_view kOpenToAll[] = {"list", "describe", "version"};
constexpr Duration kSayEvery = std::chrono::seconds(1);  ///< a crowd that is refused is one line

}  // namespace

std::string who_asks(const Peer* peer) {
  if (peer == nullptr) return "this capsule";
  std::string users;
  if (const auto address = loopback_address(peer->address); address)
    users = fmt::format("uid:{} ", fmt::join(socket_owners(*address), " uid:"));
  return fmt::format("{}({}, {} {})", users, peer->principal, peer->protocol, peer->address);
}

void ManagementGuard::invoke(Call& call) noexcept {
  if (call.peer != nullptr && !is_open(call)) {
    if (auto may = may_ask(*call.peer); !may) {
      say_refused(call, may.error());
      return call.fail(std::move(may.error()));
    }
  }
  management_->invoke(call);
}

bool ManagementGuard::is_open(Call& call) const {
  if (call.operation == nullptr) return false;
  const std::string& name = call.operation->name;
  if (name != "call")
    return std::find(std::begin(kOpenToAll), std::end(kOpenToAll), name) != std::end(kOpenToAll);
  const auto request = read_message<management::v1::CallRequest>(call.request);
  return request && on_.is_own(request->target());
}

Status ManagementGuard::may_ask(const Peer& peer) {
  if (peer.security != Security::kNone) return {};
  const auto address = loopback_address(peer.address);
  if (!address)
    return fail(refusal(fmt::format("{} {} is not known to be a process of this machine",
                                    peer.protocol, peer.address)));
  auto owners = socket_owners(*address);
  const auto is_trusted = [](std::uint32_t user) { return user == geteuid() || user == 0; };
  if (!owners.empty() && std::all_of(owners.begin(), owners.end(), is_trusted)) return {};
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  return fail(refusal(owners.empty() ? fmt::format("{} {} is of no process that is still there",
                                                   peer.protocol, peer.address)
                                     : fmt::format("{} {} is of user {}", peer.protocol,
                                                   peer.address, fmt::join(owners, " and "))));
}

Error ManagementGuard::refusal(const std::string& why) const {
  return Error::permission_denied(
      fmt::format("capsule '{}' is changed by user {} and root on its own machine only, and {}; "
                  "`management: {{insecure: true}}` in its configuration opens it to everybody",
                  on_.capsule, geteuid(), why));
}

void ManagementGuard::say_refused(const Call& call, const Error& why) {
  const std::lock_guard lock(mutex_);
  ++not_said_;
  const TimePoint now = on_.clock.now();
  if (said_ != TimePoint() && now - said_ < kSayEvery) return;
  said_ = now;
  const std::string calls = std::to_string(std::exchange(not_said_, 0));
  const std::string operation = call.operation == nullptr ? "" : call.operation->name;
  on_.log.write(Level::kWarning, "management refused",
                {{"operation", operation}, {"why", why.message}, {"calls", calls}});
  if (on_.record)
    on_.record({.kind = "management",
                .principal = who_asks(call.peer),
                .action = operation,
                .object = on_.capsule,
                .outcome = AuditOutcome::kRefused,
                .reasons = {why.message, "calls since the last record: " + calls}});
}

}  // namespace hector
