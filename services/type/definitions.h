// What: Definitions, new versions of types and more descriptions of them.
// Why: a version may only follow if users of the earlier ones can go on, by the name's mode.
// Who: the Type servant's define and add_description.
#pragma once

#include <functional>

#include "formal.h"
#include "hector/operation_calls.h"
#include "models.h"

namespace hector::type_service {

/// FAILED_PRECONDITION (INCOMPATIBLE) with the verdict as detail and a reason for each violation.
Error incompatible(const std::string& what, const v1::TypeVerdict& verdict);
bool is_type_name(std::string_view name);

/// Any thread that may block.
class Definitions {
 public:
  using RunBlocking = std::function<void(std::function<void()>)>;
  Definitions(const Catalogue& catalogue, state::Replica& replica, Blobs& blobs, Models& models,
              RunBlocking run_blocking)
      : catalogue_(catalogue),
        replica_(replica),
        blobs_(blobs),
        models_(models),
        run_blocking_(std::move(run_blocking)) {}

  /// The next version of its name; a definition that is there already is answered as it is. Made
  /// again, up to 8 times, where another version was defined at the same time.
  void define(const v1::TypeDefine& request, Reply<v1::TypeVersion> reply) {
    attempt(request, reply, 0);
  }
  /// More descriptions of the latest version; formal ones have to say the same.
  void add_description(v1::TypeDefine request, Reply<v1::TypeVersion> reply);

  /// A candidate against the latest version, or against all where the mode is transitive.
  Result<v1::TypeVerdict> verdict(const std::string& name, const TypeModel& candidate,
                                  const std::string& mode);
  /// The name's own mode, or its kind's.
  [[nodiscard]] std::string mode(const std::string& name, const std::string& kind) const;

 private:
  struct Prepared {
    TypeModelPtr model;
    v1::TypeVersion version;
    bool is_known = false;  ///< by its content: nothing is to be done
  };
  Result<Prepared> prepare(const v1::TypeDefine& request) const;
  Status number(const v1::TypeDefine& request, Prepared& prepared) const;
  Status check_supers(const v1::TypeDefine& request, const TypeModelPtr& model) const;
  Status check_users(const v1::TypeDefine& request, const Prepared& prepared);
  Result<Prepared> checked(const v1::TypeDefine& request);
  void attempt(const v1::TypeDefine& request, Reply<v1::TypeVersion> reply, int tries);
  /// Contents first: a version that can be seen is whole.
  Status keep_contents(const v1::TypeDefine& request, const TypeModelPtr& model,
                       v1::TypeVersion& version);
  Result<v1::TypeVersion> checked_description(v1::TypeDefine& request);
  Result<StoreTransaction> plan_version(const v1::TypeVersion& version,
                                        const std::string& mode) const;
  Result<StoreTransaction> plan_descriptions(const v1::TypeVersion& latest,
                                             const v1::TypeVersion& added) const;

  const Catalogue& catalogue_;
  state::Replica& replica_;
  Blobs& blobs_;
  Models& models_;
  const RunBlocking run_blocking_;
};

}  // namespace hector::type_service
