// What: RocLink, one node's link to its broker: settings, gate and the thread of its sockets.
// Why: the parts of a node, and the calls that are in flight in them, share it.
// Who: Roc and its parts.
#pragma once

#include <memory>

#include "hector/protocol.h"
#include "objects/gate.h"
#include "reactor.h"
#include "roc_options.h"

namespace hector::zeromq {

/// Shared by the parts of a node and by their calls, which may end after the node: then `reactor`
/// is stopped and takes no more tasks.
struct RocLink {
  RocLink(const ProtocolContext& context, RocOptions options)
      : context(context),
        options(std::move(options)),
        principal(objects::entity_of("Broker", this->options.at.broker)),
        gate(std::make_shared<objects::Gate>(context, principal, this->options.world.authorise)) {}
  /// Under which the node's Objects are adopted: Hosting::residents() leaves them out.
  [[nodiscard]] const void* owner() const { return this; }

  const ProtocolContext& context;
  const RocOptions options;
  const std::string principal;
  const std::shared_ptr<objects::Gate> gate;
  Reactor reactor;
};

}  // namespace hector::zeromq
