// What: Changes, what each operation that changes names writes, planned on the state as it is.
// Why: every change is one transaction that holds only if nobody was faster; here is what each
// compares and puts.
// Who: Naming.
#pragma once

#include <functional>

#include "directory.h"
#include "hector/clock.h"

namespace hector::naming {

/// How the asker's names lead.
struct AskedNames {
  InitialNames initial;
  std::function<Result<Place>(const std::string& name)> resolve;
};

/// Under the replica's lock. Each gives a transaction (empty: there is nothing to do) or the
/// operation's error.
class Changes {
 public:
  static constexpr std::size_t kNamesMax = 4'000'000;           ///< all are in memory
  static constexpr std::size_t kAtomOctetsMax = 4'000;          ///< below the whole name's limit
  static constexpr std::size_t kBindingOctetsMax = 200 * 1024;  ///< any store takes it as one value
  static constexpr std::size_t kDepthMax = 80;                  ///< compares of one transaction
  static constexpr std::size_t kMadeTogetherMax = 20;  ///< contexts that one bind makes on its way
  Changes(const Directory& directory, Random& random) : directory_(directory), random_(random) {}
  Result<StoreTransaction> bind(const v1::NamingBind& request, const AskedNames& names) const;
  Result<StoreTransaction> unbind(const v1::NamingName& request, const AskedNames& names) const;
  Result<StoreTransaction> rename(const v1::NamingRename& asked, const AskedNames& names) const;
  Result<StoreTransaction> create_subcontext(const v1::NamingBind& request,
                                             const AskedNames& names) const;
  /// Destroying goes twice through the store: the context is marked first, and whoever had meant to
  /// bind into it has to look again.
  Result<StoreTransaction> begin_destroy(const v1::NamingName& request,
                                         const AskedNames& names) const;
  Result<StoreTransaction> end_destroy(const v1::NamingName& request,
                                       const AskedNames& names) const;
  /// All modifications or none.
  Result<StoreTransaction> modify(const v1::NamingModify& request, const AskedNames& names) const;
  /// Whether bind() and create_subcontext() go on after this error, and make contexts.
  static bool makes_contexts(const v1::NamingBind& request, const Error& error) {
    return request.make_contexts() && error.type == "NAME_NOT_FOUND";
  }

 private:
  Result<Context*> make_contexts(const Components& name, StoreTransaction& transaction,
                                 std::vector<std::unique_ptr<Context>>& made) const;
  Result<Place> place_for(const v1::NamingBind& request, const AskedNames& names,
                          StoreTransaction& transaction,
                          std::vector<std::unique_ptr<Context>>& made) const;
  const Directory& directory_;
  Random& random_;
};

}  // namespace hector::naming
