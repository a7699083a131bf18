// What: refusals under the names of a service's specification, and calls that change its state.
// Why: every service refuses and changes in the same way.
// Who: the servants of services.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "hector/typed.h"
#include "state/replica.h"

namespace hector::state {

/// "NO_MATCH: text", with the name as Error::type.
inline tl::unexpected<Error> refuse(const char* name, const std::string& text, Code code = Code::kInvalidArgument) {
  return fail(Error{code, std::string(name) + ": " + text, name, {}, {}});
}

/// Reads the request, plans on the state, and answers when it is durable. `plan(request, reply)` gives the transaction or refuses, and may fill in what the
/// reply says; a reply with a revision gets the change's.
template <class In, class Out, class Plan>
void change(Replica& replica, Call& given, Plan plan) {
  auto request = read_message<In>(given.request);
  if (!request) return given.fail(std::move(request.error()));
  Call& call = given.defer();
  auto reply = std::make_shared<Out>();
  replica.change([plan = std::move(plan), asked = std::move(*request), reply]() -> Result<StoreTransaction> { return plan(asked, *reply); }, [&call, reply](Result<Revision> revision) {
    if (!revision) return call.fail(std::move(revision.error()));
    if constexpr (requires { reply->set_revision(*revision); }) reply->set_revision(*revision);
    call.complete(write_message(*reply));
  });
}

}  // namespace hector::state
