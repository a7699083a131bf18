// What: what this capsule's policy says of a Binding: the order of protocols, who may play a role.
// Why: the initiating Object's policy chooses the protocol of each channel, and explain says by
// which rule.
// Who: the pipeline, targets, moving channels.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "hector/kernel.h"
#include "hector/protocol.h"
#include "hector/reference.h"
#include "hector/service/policy.h"

namespace hector {

struct PolicyAnswer {
  std::vector<std::string> values;
  std::string key;  ///< the entry that decided; empty if none did
};

/// What the kernel asks, and what it does where no entry says anything.
struct KernelPolicy {
  const char* resource;   ///< "protocols", of "<binding>.<role or interaction>.protocols"
  const char* otherwise;  ///< in words
};
const std::vector<KernelPolicy>& kernel_policies();

/// An entry that matches a question.
struct PolicyCandidate {
  std::string key;     ///< empty: what is built in
  std::string text;    ///< its value as it was written
  std::string source;  ///< "configuration", "built in", or the context of the service's
  std::string why;     ///< why it counts, or does not
  bool counts = false;
};

/// The most specific entry for "<binding>.<role>.<resource>": a key's components match whole ones;
/// "*" matches any number of them. Later entries win among equally specific ones (X resources'
/// precedence, as far as this pattern goes).
PolicyAnswer ask_policy(const std::vector<PolicyEntry>& policy, const std::string& binding,
                        const std::string& role, const std::string& resource);

/// The capsule's own entries and the Policy service, asked together. Any thread.
class Policies {
 public:
  explicit Policies(std::vector<PolicyEntry> own) : own_(std::move(own)) {}
  /// In the place of the capsule's own entries.
  void configure(std::vector<PolicyEntry> own);
  /// Null: none any more. Outlives it.
  void use(PolicyService* service) noexcept { service_.store(service, std::memory_order_release); }
  /// For "<binding>.<role>.<resource>", of classes Binding, Role and the capitalised resource. What
  /// the service says for this object, or says as final, comes before the capsule's own entries,
  /// what it says otherwise after them. The kernel's own types (hector.…) are not asked about: the
  /// way to the service cannot depend on its answer. Where the service cannot be reached the own
  /// entries count.
  [[nodiscard]] PolicyAnswer ask(const std::string& binding, const std::string& role,
                                 const std::string& resource, const std::string& object = {}) const;
  /// The same question with everything that was looked at: the capsule's entries that match, best
  /// first, the service's answer, and what is built in. Exactly one of them counts.
  [[nodiscard]] std::vector<PolicyCandidate> explain(const std::string& binding,
                                                     const std::string& role,
                                                     const std::string& resource,
                                                     const std::string& object = {}) const;
  [[nodiscard]] std::vector<PolicyEntry> own() const;

 private:
  /// NOT_FOUND where the service has no say; its errors.
  [[nodiscard]] Result<PolicyValue> ask_service(const std::string& binding, const std::string& role,
                                                const std::string& resource,
                                                const std::string& object) const;

  mutable std::shared_mutex mutex_;
  std::vector<PolicyEntry> own_;
  std::atomic<PolicyService*> service_{nullptr};
};

/// As one Object asks them.
struct AskedPolicies {
  const Policies& all;
  const std::string& object;
};

struct ProtocolChoice {
  Profile profile;
  std::string why;
  std::vector<std::string> refused;  ///< "grpc: not loaded at north"
};

/// What a choice is made from.
struct ProtocolQuestion {
  const Policies& policies;
  const std::string& binding;
  const std::string& role;  ///< of the party that is reached
  std::string object = {};  ///< the initiating one, whose contexts come first
  const std::vector<Profile>& offered;
  std::vector<std::string> here;                  ///< what the initiating capsule speaks
  std::string exclude = {};                       ///< it is going away
  std::map<std::string, std::string> unfit = {};  ///< name and why it does not do
  const std::map<std::string, ProtocolCapabilities>& known;
};

/// Among the offered profiles the first in policy's order that is here too and fits. The order is
/// what `protocols` names, else the reference's; where `prefer` names classes (latency, cost,
/// privacy, reach) it is by those, the first one first. UNAVAILABLE with the reasons if there is
/// none.
Result<ProtocolChoice> choose_protocol(const ProtocolQuestion& question);

}  // namespace hector
