// What: RealmLink, one realm's settings, gate and zenoh session.
// Why: the parts of a realm, and their tasks in flight, share it.
// Who: Realm and its parts.
#pragma once

#include <atomic>
#include <memory>

#include "hector/protocol.h"
#include "objects/gate.h"
#include "realm_options.h"
#include "zenoh_link.h"

namespace hector::heros {

/// Shared by the parts of a realm and by tasks that run when it is closed already.
struct RealmLink {
  RealmLink(const ProtocolContext& context, RealmOptions options)
      : context(context),
        options(std::move(options)),
        gate(std::make_shared<objects::Gate>(context,
                                             objects::entity_of("Realm", this->options.realm),
                                             this->options.world.authorise)) {}
  /// Under which the realm's Objects are adopted: Hosting::residents() leaves them out.
  [[nodiscard]] const void* owner() const { return this; }
  void dismiss(const std::string& object) const {
    // NOT_FOUND: an operator has dismissed it already.
    [[maybe_unused]] const Status gone = context.hosting->dismiss(object);
  }

  const ProtocolContext& context;
  const RealmOptions options;
  const std::shared_ptr<objects::Gate> gate;
  std::unique_ptr<ZenohLink> zenoh;  ///< set before any part uses it
  std::atomic<bool> is_closed{false};
};

}  // namespace hector::heros
