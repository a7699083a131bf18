// What: Core, what the parts of one kernel share.
// Why: passed down from Kernel::make, instead of globals.
// Who: sessions, targets, the coordinator, the pipeline, management.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/blocking_pool.h"
#include "channel/interceptors.h"
#include "channel/protocol_choice.h"
#include "channel/protocol_table.h"
#include "channel/rights.h"
#include "hector/kernel.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "objects/offer_table.h"
#include "party/call_rights.h"
#include "party/own_references.h"
#include "party/party_table.h"
#include "types/registry/repository.h"

namespace hector {

/// Where sessions of this capsule's parties are found by the id that arrives with each message. Any
/// thread.
class SessionTable {
 public:
  struct Entry {
    std::shared_ptr<PartySession> session;
    std::uint32_t role = 0;  ///< the sender's
    std::uint32_t member = 0;
  };
  void put(std::uint64_t channel, Entry entry) {
    const std::unique_lock lock(mutex_);
    entries_.insert_or_assign(channel, std::move(entry));
  }
  /// Unless another session has taken its place.
  void remove(std::uint64_t channel, const PartySession* session) {
    const std::unique_lock lock(mutex_);
    const auto found = entries_.find(channel);
    if (found != entries_.end() && found->second.session.get() == session) entries_.erase(found);
  }
  [[nodiscard]] Entry find(std::uint64_t channel) const {
    const std::shared_lock lock(mutex_);
    const auto found = entries_.find(channel);
    return found == entries_.end() ? Entry{} : found->second;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> entries_;
};

/// What may change while the capsule runs (Kernel::reconfigure).
struct Limits {
  std::atomic<Duration> default_deadline;
  std::atomic<Duration> drain_grace;
};

struct Core {
  /// Draws the capsule's id and the seed of its trace ids.
  explicit Core(const KernelOptions& given);
  KernelOptions options;
  const std::uint64_t capsule_id;
  mutable std::atomic<std::uint64_t> ids;  ///< trace and span ids are made from it
  types::Repository types;
  OfferTable offers;
  ProtocolTable protocols;
  const OwnReferences references;
  const Peer own_peer;  ///< this capsule, as its Objects see it where it calls them itself
  Policies policies{options.policy};
  Rights rights{options.rights};
  CallRights call_rights{options, rights, blocking};
  Limits limits{options.default_deadline, options.drain_grace};
  SessionTable sessions;
  InterceptorTable interceptors;
  BlockingPool blocking;
  PartyTable parties;
  /// Of the Bindings made here. Set by the kernel.
  std::function<void(const hector::kernel::v1::Place&)> on_suspicion;

  /// Lets others go on, on a thread that may block: for who waits for something that nobody will
  /// tell it of. False: nothing will happen any more.
  bool pause_for(Duration time) {
    if (options.executor->is_alone()) return options.executor->help(options.clock->now() + time);
    std::this_thread::sleep_for(time);
    return true;
  }
};

/// The deadline, trace context and metadata that a call inherits from the one its thread is
/// handling, and the default deadline.
void inherit(Call& call, const Core& core);

}  // namespace hector
