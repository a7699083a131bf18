// What: Resolver, where a name leads for whoever asks.
// Why: a name may begin in the initial context, whose aliases depend on the caller.
// Who: the Naming servant and its searches.
#pragma once

#include <string>

#include "changes.h"
#include "hector/call.h"

namespace hector::naming {

/// Called while the directory does not change.
class Resolver {
 public:
  using LastLink = Directory::LastLink;
  Resolver(const Directory& directory, std::string capsule, std::string host)
      : directory_(directory), capsule_(std::move(capsule)), host_(std::move(host)) {}

  /// As Directory::resolve, and ILLEGAL_NAME.
  Result<Place> place_of(const std::string& name, const v1::NamingWho& who, const Call& call,
                         LastLink last) const;
  /// As the caller is, where the request does not say whose initial context it means.
  [[nodiscard]] InitialNames initial_of(const v1::NamingWho& asked, const Call& call) const;
  [[nodiscard]] v1::NamingWho who(const v1::NamingWho& asked, const Call& call) const;
  /// For a plan that looks the names up again.
  [[nodiscard]] AskedNames asked_names(const v1::NamingWho& who, LastLink last) const;

 private:
  const Directory& directory_;
  const std::string capsule_, host_;
  const InitialNames plain_;
};

/// Operations on a context go on into the next system where the name ends at a junction.
Place through_junction(Place place);

}  // namespace hector::naming
