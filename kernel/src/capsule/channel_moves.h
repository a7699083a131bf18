// What: ChannelMoves, which channels go over a protocol and where each goes when it is unloaded.
// Why: unloading a protocol must say beforehand what would move and what would break, and then do
// what it said.
// Who: KernelImpl, when a protocol is unloaded.
#pragma once

#include <string>
#include <vector>

#include "capsule/templates.h"
#include "party/core.h"

namespace hector {

/// One thread at a time. Covers the channels of this capsule's parties, and those that partners in
/// other capsules have to them.
class ChannelMoves {
 public:
  ChannelMoves(Core& core, std::string protocol) : core_(core), protocol_(std::move(protocol)) {}

  struct Findings {
    Effects effects;
    std::vector<std::string> breaks;  ///< each channel that cannot move, and why
  };
  /// Every channel is chosen another profile, and moved to it but with Unload::kDryRun. Blocks:
  /// other capsules are asked.
  Findings run(Unload mode);

 private:
  void own_channels(PartySession& session, Unload mode, Findings& found);
  /// Channels that come in here from the party's partners.
  void partners_channels(PartySession& session, Unload mode, Findings& found);
  void ask_partner(PartySession& session, const Reference& partner, Unload mode, Findings& found);

  Core& core_;
  const std::string protocol_;
};

}  // namespace hector
