#include "party/closing.h"

#include "hector/check.h"
#include "party/party_session.h"

namespace hector {

void close_party(Core& core, const std::shared_ptr<PartySession>& session, const std::string& why,
                 Code code) {
  HECTOR_CHECK(session != nullptr, "a party is closed that there is not");
  session->delist();
  if (!session->close(why, code)) return;
  // Only now: the deletion of its Object waits for this.
  core.parties.remove(session->binding(), *session);
  OfferTable::release(*session->offer());
}

void close_parties(Core& core, std::uint64_t binding, const std::string& why, Code code) {
  for (const auto& session : core.parties.of_binding(binding))
    close_party(core, session, why, code);
}

}  // namespace hector
