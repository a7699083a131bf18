// What: what the tokens say that are made here: for a principal, for a delegate, for who acts on
// behalf of another one.
// Why: a token never has more rights, nor a later end, than what it was made from.
// Who: the Authentication servant, which signs them.
#pragma once

#include "credentials.h"

namespace hector::authentication {

/// Of the service that makes tokens.
struct MintTerms {
  std::string domain;    ///< empty: it makes none
  std::string audience;  ///< of tokens that are shown to it
  std::int64_t now_s = 0;
  std::string token_id;  ///< of the one that is made
};

/// Each: INVALID_ARGUMENT (an audience, a right, a lifetime that may not be), UNTRUSTED_DOMAIN (a
/// principal of another domain), FAILED_PRECONDITION (NO_DOMAIN), DELEGATION_REFUSED with its
/// reason, EXPIRED.
Result<identity::TokenPlan> plan_mint(const v1::Mint& asked, const Shown& holder,
                                      const MintTerms& terms);
/// For `asked.principal` alone, which exchanges it.
Result<identity::TokenPlan> plan_delegation(const v1::Delegation& asked, const Shown& holder,
                                            const MintTerms& terms);
/// Of `subject`'s principal, with `actor` as the one who acts.
Result<identity::TokenPlan> plan_exchange(const v1::Exchange& asked, const Shown& subject,
                                          const Shown& actor, const MintTerms& terms);

}  // namespace hector::authentication
