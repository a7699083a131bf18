// What: what this capsule's policy says of a Binding: the order of protocols, who may play a role.
// Why: the initiating Object's policy chooses the protocol of each channel, and explain says by which rule.
// Who: the pipeline, targets, moving channels.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hector/kernel.h"
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

/// Among `offered` profiles, the first in policy's order that `here` has too and that is not `unfit` (name and why). UNAVAILABLE with the reasons if there is none.
Result<ProtocolChoice> choose_protocol(const std::vector<PolicyEntry>& policy, const std::string& binding, const std::string& role,
                                       const std::vector<Profile>& offered, const std::vector<std::string>& here, const std::string& exclude,
                                       const std::map<std::string, std::string>& unfit = {});

}  // namespace hector
