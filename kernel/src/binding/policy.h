// What: what this capsule's policy says of a Binding: the order of protocols, who may play a role.
// Why: the initiating Object's policy chooses the protocol of each channel, and explain says by which rule.
// Who: the pipeline, targets, moving channels.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hector/kernel.h"
#include "hector/protocol.h"
#include "hector/reference.h"

namespace hector {

struct PolicyAnswer {
  std::vector<std::string> values;
  std::string key;  ///< the entry that decided; empty if none did
};

/// The most specific entry for "<binding>.<role>.<resource>": a key's components match whole ones; "*" matches any number of them.
/// Later entries win among equally specific ones (X resources' precedence, as far as this pattern goes).
PolicyAnswer ask_policy(const std::vector<PolicyEntry>& policy, const std::string& binding, const std::string& role, const std::string& resource);

struct ProtocolChoice {
  Profile profile;
  std::string why;
  std::vector<std::string> refused;  ///< "grpc: not loaded at north"
};

/// What a choice is made from.
struct ProtocolQuestion {
  const std::vector<PolicyEntry>& policy;
  const std::string& binding;
  const std::string& role;               ///< of the party that is reached
  const std::vector<Profile>& offered;
  std::vector<std::string> here;         ///< what the initiating capsule speaks
  std::string exclude = {};              ///< it is going away
  std::map<std::string, std::string> unfit = {};  ///< name and why it does not do
  const std::map<std::string, ProtocolCapabilities>& known;
};

/// Among the offered profiles the first in policy's order that is here too and fits. The order is what `protocols` names, else the reference's; where
/// `prefer` names classes (latency, cost, privacy, reach) it is by those, the first one first. UNAVAILABLE with the reasons if there is none.
Result<ProtocolChoice> choose_protocol(const ProtocolQuestion& question);

}  // namespace hector
