// What: Gate, asks Policy whether a call from a world of foreign objects may enter.
// Why: these worlds authenticate nobody and check no access; the world as a whole is the principal.
// Who: heros, zeromq.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "hector/protocol.h"
#include "objects/description.h"

namespace hector::objects {

/// Any thread.
class Gate : public std::enable_shared_from_this<Gate> {
 public:
  /// `principal`: an entity, Realm::"heros". `is_shut`: Policy's authorise() decides; otherwise
  /// every call enters.
  Gate(const ProtocolContext& context, std::string principal, bool is_shut)
      : context_(context), principal_(std::move(principal)), is_shut_(is_shut) {}
  /// How other capsules reach the Object without this world. PERMISSION_DENIED where the gate is
  /// shut: that way would go around it.
  [[nodiscard]] Result<Reference> reference_of(const std::string& object) const;
  /// `then` runs once, possibly before this returns: PERMISSION_DENIED with the policies that
  /// decided; UNAVAILABLE where Policy cannot be asked. The question is whether the principal may
  /// Action::"call", "get" or "set" on Object::"NAME", with the member in context.member.
  void ask(Use use, const std::string& object, const std::string& member,
           Callback<void(Status)> then);

 private:
  void ask_policy(Target& policy, std::string action, std::string object, std::string member,
                  Callback<void(Status)> then);
  const ProtocolContext& context_;
  const std::string principal_;
  const bool is_shut_;
  std::mutex mutex_;
  std::shared_ptr<Target> policy_;  ///< under mutex_; also those that ask it now own it
};

/// TYPE::"ID", as Cedar reads it: JSON's escapes are not its own.
std::string entity_of(const std::string& type, const std::string& id);

}  // namespace hector::objects
