// What: Core, the connections to an etcd cluster; what the calls and watches of one store share.
// Why: a call in flight outlives the store that began it.
// Who: the etcd provider.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "hector/store.h"
#include "stores/etcd/v1/etcd.pb.h"

namespace hector::stores::etcd {

namespace v1 = ::stores::etcd::v1;

struct Core {
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
  std::string fault;

  std::shared_ptr<grpc::Channel> channel() { return channels[current.load() % channels.size()]; }
  /// The next call goes to another member, unless another thread has turned already.
  void turn(std::size_t from) { current.compare_exchange_strong(from, from + 1); }
  void saw(const v1::ResponseHeader& header) {
    Revision known = revision.load();
    while (known < header.revision() && !revision.compare_exchange_weak(known, header.revision()))
      continue;
  }
};

StoreEntry entry_of(const v1::KeyValue& kv, std::size_t prefix);
/// No connection was made: sending it again is harmless.
bool was_never_sent(const grpc::Status& status);
/// Whether a lost answer leaves the outcome open.
enum class Request : std::uint8_t { kRead, kWrite };
/// etcd's messages as this contract's errors.
Error error_of(const grpc::Status& status, Revision asked, LeaseId lease, Request kind);

std::unique_ptr<StoreWatch> make_watch(std::shared_ptr<Core> core, StoreWatchRequest request,
                                       StoreObserver& observer);

}  // namespace hector::stores::etcd
