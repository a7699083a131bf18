// What: refusals under the names of a service's specification, and calls that change its state.
// Why: every service refuses and changes in the same way.
// Who: the servants of services.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "hector/operation_calls.h"
#include "state/leases.h"
#include "state/replica.h"

namespace hector::state {

/// "NO_MATCH: text", with the name as Error::type.
inline tl::unexpected<Error> refuse(const char* name, const std::string& text,
                                    Code code = Code::kInvalidArgument) {
  return fail(Error{code, std::string(name) + ": " + text}.with_type(name));
}

/// One put of a message.
template <class Message>
StoreTransaction putting(const std::string& key, const Message& message) {
  StoreTransaction transaction;
  transaction.then.push_back(StoreOperation::put(key, Bytes::take(message.SerializeAsString())));
  return transaction;
}
inline StoreTransaction erasing(const std::string& key) {
  StoreTransaction transaction;
  transaction.then.push_back(StoreOperation::erase(key));
  return transaction;
}

/// Plans on the state, and answers when the change is durable. `plan(request, reply)` gives the
/// transaction or refuses, and may fill in what the reply says; a reply with a revision gets the
/// change's. It runs again where another writer was faster.
template <class In, class Out, class Plan>
void change(Replica& replica, const In& request, Reply<Out> given, Plan plan) {
  auto message = std::make_shared<Out>();  // owned by the plan and by what answers
  replica.change([plan = std::move(plan), request,
                  message]() -> Result<StoreTransaction> { return plan(request, *message); },
                 [reply = given.later(), message](Result<Revision> revision) {
                   if (!revision) return reply.fail(std::move(revision.error()));
                   if constexpr (requires { message->set_revision(*revision); })
                     message->set_revision(*revision);
                   reply(std::move(*message));
                 });
}

/// The operation open_lease, in a message with `owner`, `ttl_ms` and `lease`.
template <class Lease>
void open_lease(Leases& leases, const Lease& asked, Reply<Lease> given) {
  constexpr std::size_t kOwnerOctetsMax = 500;  ///< owners are names of capsules
  if (asked.owner().empty() || asked.owner().size() > kOwnerOctetsMax)
    return given.fail(Code::kInvalidArgument, "a lease has an owner: a name of up to 500 octets");
  leases.open(asked.owner(), std::chrono::milliseconds(asked.ttl_ms()),
              [reply = given.later(), lease = asked](Result<LeaseId> opened) mutable {
                if (!opened) return reply.fail(std::move(opened.error()));
                lease.set_lease(static_cast<std::uint64_t>(*opened));
                reply(std::move(lease));
              });
}
/// What ends the operations renew_lease and close_lease.
template <class Lease>
Callback<void(Status)> answer_lease(const Lease& asked, Reply<Lease> given) {
  return [reply = given.later(), lease = asked](Status done) {
    if (!done) return reply.fail(std::move(done.error()));
    reply(lease);
  };
}
template <class Lease>
void renew_lease(Leases& leases, const Lease& asked, Reply<Lease> given) {
  leases.renew(static_cast<LeaseId>(asked.lease()), answer_lease(asked, given));
}
template <class Lease>
void close_lease(Leases& leases, const Lease& asked, Reply<Lease> given) {
  leases.close(static_cast<LeaseId>(asked.lease()), answer_lease(asked, given));
}

}  // namespace hector::state
