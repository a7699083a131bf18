#include "party/closing.h"

#include "hector/check.h"
#include "party/party_session.h"

namespace hector {

void close_party(Core& core, PartySession& session, const std::string& why, Code code) {
  session.delist();
  if (!session.close(why, code)) return;
  // Only now: the deletion of its Object waits for this.
  core.parties.remove(session.binding(), session);
  OfferTable::release(*session.offer());
}

void close_parties(Core& core, std::uint64_t binding, const std::string& why, Code code) {
  for (const auto& session : core.parties.of_binding(binding))
    close_party(core, *session, why, code);
}

}  // namespace hector
