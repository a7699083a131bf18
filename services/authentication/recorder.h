// What: Recorder, which puts each verdict into an audit log before anybody is told of it.
// Why: who was let in, and who was not and why, has to be known afterwards; what cannot be recorded
// is not accepted.
// Who: the Authentication servant.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hector/audit.h"

namespace hector::authentication {

/// Any thread.
class Recorder {
 public:
  using RunBlocking = std::function<void(std::function<void()>)>;

  /// Without a log nothing is recorded.
  Recorder(RunBlocking run_blocking, std::unique_ptr<audit::AuditLog> log)
      : run_blocking_(std::move(run_blocking)), log_(std::move(log)) {}

  [[nodiscard]] bool is_recording() const noexcept { return log_ != nullptr; }
  /// `then` runs once the event is on the disk, or is told why it is not; at once where nothing is
  /// recorded.
  void record(audit::Event event, std::function<void(Status)> then) {
    if (log_ == nullptr) return then({});
    run_blocking_([this, event = std::move(event), then = std::move(then)] {
      auto appended = log_->append(event);
      if (appended) return then({});
      then(fail(Error::unavailable("the verdict cannot be recorded in the audit log")
                    .caused_by(std::move(appended.error()))));
    });
  }

 private:
  const RunBlocking run_blocking_;
  const std::unique_ptr<audit::AuditLog> log_;
};

}  // namespace hector::authentication
