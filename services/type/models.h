// What: Models, versions of types as they are kept, with their compiled forms and descriptions.
// Why: every operation that compares types begins with a name and needs the compiled type; it is
// read and compiled once.
// Who: the operations of the Type service.
#pragma once

#include <mutex>

#include "blobs.h"
#include "catalogue.h"

namespace hector::type_service {

/// "NOT_FOUND: there is no type 'x'".
Error no_type(const std::string& name);

/// Any thread. What reads contents may block.
class Models {
 public:
  Models(const Catalogue& catalogue, const state::Replica& replica, Blobs& blobs)
      : catalogue_(catalogue), replica_(replica), blobs_(blobs) {}

  /// With what is known of its name; `version` 0 is the latest, of those until `at_revision`.
  /// NOT_FOUND.
  Result<v1::TypeVersion> version(const std::string& name, std::uint64_t version = 0,
                                  Revision at_revision = 0) const;
  /// As Accept-Language is read: the first language asked for that there is a description in ("de"
  /// has "de-AT" as well). All of that language. NOT_FOUND (NO_DESCRIPTION).
  Result<v1::TypeVersion> described(const v1::TypeQuestion& asked) const;
  /// The compiled type, remembered by its id. FAILED_PRECONDITION (NO_DESCRIPTION) where it has no
  /// formal description.
  Result<TypeModelPtr> of(const v1::TypeVersion& version);
  Result<TypeModelPtr> named(const std::string& name);

 private:
  static constexpr std::size_t kMax = 5'000;  ///< then all are forgotten
  const Catalogue& catalogue_;
  const state::Replica& replica_;
  Blobs& blobs_;
  std::mutex mutex_;
  std::map<std::string, TypeModelPtr> models_;
};

}  // namespace hector::type_service
