// What: Core, the connections to an etcd cluster and the count of what is in flight over them.
// Why: calls and watches run on gRPC's threads; the store, which owns this, ends after the last of
// them.
// Who: the etcd provider.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hector/check.h"
#include "hector/store.h"
#include "stores/etcd/v1/etcd.pb.h"

namespace hector::stores::etcd {

namespace v1 = ::stores::etcd::v1;

/// A call that waits on a timer before it is sent again.
class Paused {
 public:
  virtual ~Paused() = default;
  /// Sends it again; where the store is closing it ends with what it has. May free itself.
  virtual void resume() = 0;
};

/// Any thread.
struct Core {
  Core() = default;
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() { HECTOR_CHECK(in_flight == 0, "an etcd store ends before its calls"); }

  const Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;
  Log* log = nullptr;
  std::vector<std::shared_ptr<grpc::Channel>> channels;  ///< one a member; used one at a time
  std::atomic<std::size_t> current{0};
  std::string prefix;  ///< of the provider's own records; keys are below prefix + "k/"
  std::string keys;
  std::atomic<Revision> revision{0}, compacted{0};
  std::atomic<std::uint64_t> epoch{0};
  std::atomic<bool> is_closed{false};
  std::mutex mutex;
  // Under mutex:
  std::string fault;
  std::size_t in_flight = 0;
  std::map<Paused*, TimerId> paused;
  std::condition_variable landed;  ///< nothing is in flight

  std::shared_ptr<grpc::Channel> channel() { return channels[current.load() % channels.size()]; }
  /// The next call goes to another member, unless another thread has turned already.
  void turn(std::size_t from) { current.compare_exchange_strong(from, from + 1); }
  void saw(const v1::ResponseHeader& header) {
    Revision known = revision.load();
    while (known < header.revision() && !revision.compare_exchange_weak(known, header.revision()))
      continue;
  }
  /// Resumes the call at that time. False: the store is closing, and the call should end.
  bool pause(Paused& call, TimePoint until);
  /// Returns when the last call and stream has ended: those that pause now, those with gRPC at
  /// their deadlines (kAttempt) at the latest. Not on a thread of theirs. Later calls are not
  /// repeated.
  void close();
};

/// A call or a stream that gRPC or a timer holds: its first base or member, so that nothing of it
/// is left when the store may end.
class InFlight {
 public:
  explicit InFlight(Core& core) : core_(core) {
    const std::lock_guard lock(core_.mutex);
    ++core_.in_flight;
  }
  ~InFlight() {
    const std::lock_guard lock(core_.mutex);
    HECTOR_CHECK(core_.in_flight > 0, "more calls ended than began");
    if (--core_.in_flight == 0) core_.landed.notify_all();
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Core& core_;
};

StoreEntry entry_of(const v1::KeyValue& kv, std::size_t prefix);
/// No connection was made: sending it again is harmless.
bool was_never_sent(const grpc::Status& status);
/// Whether a lost answer leaves the outcome open.
enum class Request : std::uint8_t { kRead, kWrite };
/// etcd's messages as this contract's errors.
Error error_of(const grpc::Status& status, Revision asked, LeaseId lease, Request kind);

/// Of keys below the prefix `keys`. The watch ends before the core.
std::unique_ptr<StoreWatch> make_watch(Core& core, std::string keys, StoreWatchRequest request,
                                       StoreObserver& observer);

}  // namespace hector::stores::etcd
