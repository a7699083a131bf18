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
#include "party/management_roles.h"

namespace hector {

namespace {

struct Needed {
  std::string_view operation;
  ManagementRight right;
};
/// Whatever is added needs everything until it stands here.
constexpr Needed kNeeded[] = {
    {"list", ManagementRight::kLook},      {"describe", ManagementRight::kLook},
    {"version", ManagementRight::kLook},   {"whoami", ManagementRight::kLook},
    {"may", ManagementRight::kOperate},    {"create", ManagementRight::kOperate},
    {"delete", ManagementRight::kOperate}, {"move", ManagementRight::kOperate},
    {"bind", ManagementRight::kOperate},   {"call", ManagementRight::kOperate},
};
constexpr std::string_view kRoles[] = {"viewer", "operator", "administrator"};

constexpr Duration kSayEvery = std::chrono::seconds(1);  ///< a crowd that is refused is one line

}  // namespace

std::optional<ManagementRight> management_right(std::string_view role) noexcept {
  const auto found = std::find(std::begin(kRoles), std::end(kRoles), role);
  if (found == std::end(kRoles)) return std::nullopt;
  return static_cast<ManagementRight>(found - std::begin(kRoles));
}

std::string who_asks(const Peer* peer) {
  if (peer == nullptr) return "this capsule";
  std::string users;
  if (const auto address = loopback_address(peer->address); address)
    users = fmt::format("uid:{} ", fmt::join(socket_owners(*address), " uid:"));
  return fmt::format("{}({}, {} {})", users, peer->principal, peer->protocol, peer->address);
}

ManagementGuard::ManagementGuard(std::unique_ptr<Servant> management, Options options)
    : management_(std::move(management)), on_(std::move(options)) {}

void ManagementGuard::invoke(Call& call) noexcept {
  if (call.peer != nullptr) {
    if (auto may = may_ask(*call.peer, needed(call)); !may) {
      say_refused(call, may.error());
      return call.fail(std::move(may.error()));
    }
  }
  management_->invoke(call);
}

ManagementRight ManagementGuard::needed(Call& call) const {
  if (call.operation == nullptr) return ManagementRight::kAdministrate;
  const std::string& name = call.operation->name;
  const auto* const found =
      std::find_if(std::begin(kNeeded), std::end(kNeeded),
                   [&](const Needed& each) { return each.operation == name; });
  if (found == std::end(kNeeded)) return ManagementRight::kAdministrate;
  if (name != "call") return found->right;
  const auto request = read_message<management::v1::CallRequest>(call.request);
  return request && on_.is_own(request->target()) ? ManagementRight::kLook : found->right;
}

Status ManagementGuard::may_ask(const Peer& peer, ManagementRight needed) const {
  if (peer.is_own_user) return {};
  if (peer.security != Security::kNone) return has_role(peer, needed);
  return needed == ManagementRight::kLook ? Status() : is_of_this_user(peer);
}

Status ManagementGuard::has_role(const Peer& peer, ManagementRight needed) const {
  const auto best = right_of(on_.roles, peer.principal);
  if (best && *best >= needed) return {};
  const auto name = [](ManagementRight right) { return kRoles[static_cast<std::size_t>(right)]; };
  return fail(Error::permission_denied(
      fmt::format("management of capsule '{}': this needs the role {}, and '{}' has {}; "
                  "`management: {{roles: {{{}: [\"{}\"]}}}}` in its configuration gives it",
                  on_.capsule, name(needed), peer.principal, best ? name(*best) : "none",
                  name(needed), peer.principal)));
}

Status ManagementGuard::is_of_this_user(const Peer& peer) const {
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
