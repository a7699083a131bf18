// What: the list of interceptors on one end of a channel, its counters, and the kernel's own
// interceptors: metrics, trace, allow.
// Why: channels without any pay one look at an empty list.
// Who: PartySession; Kernel::add_interceptor.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hector/interceptor.h"
#include "hector/log.h"

namespace hector {

/// The factories by name. Any thread.
class InterceptorTable {
 public:
  /// The kernel's own: metrics, trace, allow.
  void add_own(Log& log);
  /// ALREADY_EXISTS if the name is taken.
  Status add(const std::string& name, InterceptorFactory factory);
  /// Each "NAME" or "NAME:ARGUMENT". NOT_FOUND names those there are.
  [[nodiscard]] Result<std::vector<std::unique_ptr<Interceptor>>> make(
      const std::vector<std::string>& names) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, InterceptorFactory> factories_;
};

/// What `metrics` counts.
class MetricsInterceptor final : public Interceptor {
 public:
  struct Counts {
    std::uint64_t calls = 0, failed = 0;
    Duration longest{0}, total{0};
    std::string last_failure;
  };
  void ended(const Call& call, const Hop& hop, Duration took) noexcept override;
  [[nodiscard]] Counts counts() const;

 private:
  mutable std::mutex mutex_;
  Counts counts_;
};

using InterceptorList = std::vector<std::unique_ptr<Interceptor>>;

enum class Way { kSending, kArriving };
/// Runs the list on one message; true if it may pass: then each ended() will run, in reverse order.
/// False: the call was failed. `keep` holds what `hop` refers to.
bool intercept(const InterceptorList& list, Way way, Call& call, const Hop& hop,
               const std::shared_ptr<const void>& keep, const Clock& clock);

}  // namespace hector
