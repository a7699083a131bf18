// What: refusals under the names of a service's specification, and calls that change its state.
// Why: every service refuses and changes in the same way.
// Who: the servants of services.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "hector/message_calls.h"
#include "state/leases.h"
#include "state/replica.h"

namespace hector::state {

/// "NO_MATCH: text", with the name as Error::type.
inline tl::unexpected<Error> refuse(const char* name, const std::string& text,
                                    Code code = Code::kInvalidArgument) {
  return fail(Error{code, std::string(name) + ": " + text, name, {}, {}});
}

/// Reads the request, plans on the state, and answers when it is durable. `plan(request, reply)`
/// gives the transaction or refuses, and may fill in what the reply says; a reply with a revision
/// gets the change's.
template <class In, class Out, class Plan>
void change(Replica& replica, Call& given, Plan plan) {
  auto request = read_message<In>(given.request);
  if (!request) return given.fail(std::move(request.error()));
  Call& call = given.defer();
  auto reply = std::make_shared<Out>();
  replica.change([plan = std::move(plan), asked = std::move(*request),
                  reply]() -> Result<StoreTransaction> { return plan(asked, *reply); },
                 [&call, reply](Result<Revision> revision) {
                   if (!revision) return call.fail(std::move(revision.error()));
                   if constexpr (requires { reply->set_revision(*revision); })
                     reply->set_revision(*revision);
                   call.complete(write_message(*reply));
                 });
}

/// The operation open_lease, in a message with `owner`, `ttl_ms` and `lease`.
template <class Lease>
void open_lease(Leases& leases, Call& given) {
  auto asked = read_message<Lease>(given.request);
  if (!asked) return given.fail(std::move(asked.error()));
  if (asked->owner().empty() || asked->owner().size() > 500)
    return given.fail({Code::kInvalidArgument, "a lease has an owner: a name of up to 500 octets"});
  Call& call = given.defer();
  leases.open(asked->owner(), std::chrono::milliseconds(asked->ttl_ms()),
              [&call, reply = *asked](Result<LeaseId> lease) mutable {
                if (!lease) return call.fail(std::move(lease.error()));
                reply.set_lease(static_cast<std::uint64_t>(*lease));
                call.complete(write_message(reply));
              });
}
/// renew_lease and close_lease.
template <class Lease, auto operation>
void with_lease(Leases& leases, Call& given) {
  auto asked = read_message<Lease>(given.request);
  if (!asked) return given.fail(std::move(asked.error()));
  Call& call = given.defer();
  (leases.*operation)(static_cast<LeaseId>(asked->lease()), [&call, reply = *asked](Status status) {
    if (!status) return call.fail(std::move(status.error()));
    call.complete(write_message(reply));
  });
}

}  // namespace hector::state
