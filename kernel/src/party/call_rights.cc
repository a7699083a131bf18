#include "party/call_rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/parker.h"
#include "channel/protocol_table.h"
#include "channel/rights_words.h"
#include "hector/credentials.h"
#include "hector/policy.hector.h"
#include "party/management_roles.h"

namespace hector {

namespace {

constexpr std::array kChangeRights{
    PolicyOperations::kPut.name,           PolicyOperations::kRemove.name,
    PolicyOperations::kReplaceBundle.name, PolicyOperations::kSetChain.name,
    PolicyOperations::kPutRules.name,      PolicyOperations::kRemoveRules.name,
    PolicyOperations::kPutEntity.name,     PolicyOperations::kRemoveEntity.name,
    PolicyOperations::kPutSchema.name};

CallKey key_of(const Offer& offer, const Operation& operation, const Caller& caller) noexcept {
  return {offer.id,         operation.index, caller.security,
          caller.principal, caller.claimed,  caller.protocol};
}

}  // namespace

Caller caller_of(const Peer* peer, const Header& header) noexcept {
  Caller caller;
  if (peer == nullptr) {
    if (rights::is_principal(header.principal)) caller.claimed = header.principal;
    return caller;
  }
  caller.protocol = peer->protocol;
  caller.security = peer->security;
  caller.is_own_user = peer->is_own_user;
  if (peer->is_own_user && rights::is_principal(header.principal)) {
    caller.principal = header.principal;
    return caller;
  }
  if (peer->security == Security::kNone) {
    const std::string& said = header.principal.empty() ? peer->principal : header.principal;
    if (rights::is_principal(said)) caller.claimed = said;
    return caller;
  }
  const bool is_of_it = !peer->principal.empty() && may_speak_as(peer->principal, header.principal);
  caller.principal = is_of_it ? header.principal : peer->principal;
  return caller;
}

bool CallRights::changes_rights(const Interface& interface, const Operation& operation) noexcept {
  return interface.id() == PolicyOperations::kInterface &&
         std::find(kChangeRights.begin(), kChangeRights.end(), operation.name) !=
             kChangeRights.end();
}

bool CallRights::is_owner(const Caller& caller) const noexcept {
  if (caller.is_own_user || caller.principal == options_.principal) return true;
  return caller.security != Security::kNone && !caller.protocol.empty() &&
         caller.protocol != kInProcess &&
         right_of(options_.management_roles, caller.principal) == ManagementRight::kAdministrate;
}

bool CallRights::is_asked(const Offer& offer, const Call& call,
                          const Caller& caller) const noexcept {
  if (!offer.is_system) return true;
  return call.operation != nullptr && changes_rights(*offer.interface, *call.operation) &&
         !is_owner(caller);
}

Called CallRights::called(const Offer& offer, const Operation& operation) const noexcept {
  return {options_.capsule, offer.object, offer.interface->id(), operation.name};
}

RightsQuestion CallRights::question(const Called& called, const Caller& caller) {
  auto context = rights::about(caller.principal, called.capsule, called.object);
  context.is_authenticated = !caller.principal.empty();
  context.protocol = caller.protocol;
  context.security = caller.security;
  context.claimed = caller.claimed;
  return {rights::principal(caller.principal), std::string(rights::kCall),
          rights::operation(called.interface_id, called.operation), rights::json(context)};
}

Error CallRights::refusal(const Called& called, const Caller& caller, const std::string& why) {
  const std::string who =
      !caller.principal.empty() ? fmt::format("'{}'", caller.principal)
      : caller.claimed.empty()
          ? std::string(rights::kAnonymous)
          : fmt::format("{} (it says that it is '{}')", rights::kAnonymous, caller.claimed);
  return Error::permission_denied(fmt::format("{} may not call '{}.{}' of '{}': {}", who,
                                              called.interface_id, called.operation, called.object,
                                              why))
      .with_type(std::string(kNotExecuted));
}

void CallRights::enter(const OfferPtr& offer, Call& call, const Caller& caller) noexcept {
  if (!is_asked(*offer, call, caller)) return offer->host->enter(call);
  std::string why;
  switch (cache_->find(key_of(*offer, *call.operation, caller), rights_.generation(), why)) {
    case RightsCache::Known::kAllowed:
      return offer->host->enter(call);
    case RightsCache::Known::kDenied:
      return call.fail(refusal(called(*offer, *call.operation), caller, why));
    case RightsCache::Known::kNot:
      return ask(offer, call, caller);
  }
}

void CallRights::ask(const OfferPtr& offer, Call& call, const Caller& caller) {
  auto* const service = rights_.service();
  if (service == nullptr)
    return call.fail(refusal(called(*offer, *call.operation), caller, Rights::no_service().why));
  const std::uint64_t generation = rights_.generation();
  const auto asked = question(called(*offer, *call.operation), caller);
  const KeptCaller kept(caller);
  Call& waiting = call.defer();
  service->authorise(
      asked, [this, offer, kept, generation, &waiting](const Result<RightsDecision>& decision) {
        const NonBlockingScope scope;  // Objects that may block run on their own threads
        const Operation& operation = *waiting.operation;
        auto answer = Rights::answer(decision);
        if (decision && cache_->put(key_of(*offer, operation, kept.view()), generation,
                                    {answer.is_allowed, answer.why}))
          blocking_.run([cache = cache_] { cache->free_replaced(); });
        if (answer.is_allowed) return offer->host->enter(waiting);
        waiting.fail(refusal(called(*offer, operation), kept.view(), answer.why));
      });
}

}  // namespace hector
