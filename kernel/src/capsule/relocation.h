// What: relocate, one Object's move to another capsule, with its name, its state and its places in
// Bindings.
// Why: the steps are in several capsules and each has its undo; the order is read at one place.
// Who: KernelImpl, for management.
#pragma once

#include <functional>
#include <string>

#include "capsule/object_registry.h"
#include "hector/binding/v1/binding.pb.h"
#include "hector/management/v1/management.pb.h"
#include "party/core.h"

namespace hector {

/// One move. Blocks.
class Relocation {
 public:
  /// Resolves the management Object of the other capsule by its name in Naming.
  using Resolve = std::function<Result<std::unique_ptr<Target>>(std::string_view name)>;

  /// `made`: how the Object is made once more.
  Relocation(Core& core, OfferPtr offer, MadeWith made)
      : core_(core), offer_(std::move(offer)), made_(std::move(made)) {}

  /// Makes the successor there and gives it the Object's places; what happened, a line each. The
  /// Object here is still to be ended. On an error the successor is gone again and the Object has
  /// its places back, but its offer at the Trader is to be exported again if `is_made()`.
  Result<management::v1::MoveReply> run(const std::string& to, const Resolve& resolve);
  /// Whether a successor was made.
  [[nodiscard]] bool is_made() const { return is_made_; }

 private:
  [[nodiscard]] Deadline deadline() const;
  Result<management::v1::CreateRequest> request_for_successor();
  void delete_successor(Target& there);
  /// Every place the Object has in a Binding goes to the successor, all or none.
  Result<std::vector<std::string>> rebind_places(const std::string& successor);
  Result<std::unique_ptr<Target>> control_of(const PartySession& session);
  /// Asks the control of the session's Binding to give its place to another Object.
  Result<binding::v1::Rebound> rebind(Target& control, const PartySession& session,
                                      const std::string& who);

  Core& core_;
  const OfferPtr offer_;
  const MadeWith made_;
  bool is_made_ = false;
};

}  // namespace hector
