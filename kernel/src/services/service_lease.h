// What: ServiceLease, this capsule's lease at a service: opened with the first entry, renewed while
// the capsule lives.
// Why: what a capsule has put into Naming or Trading goes when it goes, even if nobody had time to
// take it out.
// Who: the kernel, which binds its Objects' names and exports their Offers under it.
#pragma once

#include <functional>
#include <mutex>

#include "base/blocking_pool.h"
#include "hector/executor.h"
#include "hector/guarded_self.h"
#include "hector/log.h"
#include "hector/service/leasing.h"

namespace hector {

/// Any thread.
class ServiceLease {
 public:
  /// What a capsule that was killed leaves behind is gone after it.
  static constexpr Duration kTtl = std::chrono::seconds(10);
  /// What it runs on; all of it outlives the lease.
  struct Surroundings {
    const Clock& clock;
    Executor& executor;
    BlockingPool& blocking;
    Log& log;
  };
  using Service = std::function<LeasingService*()>;
  /// `owner`: whose lease it is, as in "capsule:north". `service`: as it is now, null if there is
  /// none. `lost`: everything has to be entered again.
  ServiceLease(const Surroundings& surroundings, std::string owner, Service service,
               std::function<void()> lost);
  ~ServiceLease();
  /// Opens one if there is none; 0 where there is no service. Blocks.
  Result<std::uint64_t> get();
  /// The provider changes while this is held: nobody opens a lease with the new one before the old
  /// one's is forgotten.
  [[nodiscard]] std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }
  /// Another provider, or none any more: the next entry opens a lease there. While it is held.
  void forget();
  /// The service says that it knows this lease no longer. If it is the one in use, everything is
  /// entered again: what was on it has gone with it, and an owner's new lease ends his earlier one.
  void has_ended(std::uint64_t lease);
  /// With everything on it. Blocks.
  void close();

 private:
  /// The timer's next step, on a thread that may block.
  void do_later(void (ServiceLease::*step)());
  void renew();
  void enter_later(const Error& why);
  void enter();
  const Surroundings on_;
  const std::string owner_;
  const Service service_;
  const std::function<void()> lost_;
  std::mutex mutex_;
  std::uint64_t lease_ = 0;
  TimerId timer_ = 0;
  std::string refused_;  ///< why the service last opened none
  GuardedSelf<ServiceLease> guard_{*this};
};

}  // namespace hector
