#include "identity/verdict.h"

namespace hector::identity {

std::string_view fault_name(Fault fault) noexcept {
  switch (fault) {
    case Fault::kMalformed:
      return "MALFORMED";
    case Fault::kUntrustedDomain:
      return "UNTRUSTED_DOMAIN";
    case Fault::kBadSignature:
      return "BAD_SIGNATURE";
    case Fault::kAlgRefused:
      return "ALG_REFUSED";
    case Fault::kNotYetValid:
      return "NOT_YET_VALID";
    case Fault::kExpired:
      return "EXPIRED";
    case Fault::kWrongAudience:
      return "WRONG_AUDIENCE";
    case Fault::kRevoked:
      return "REVOKED";
  }
  return "MALFORMED";
}

}  // namespace hector::identity
