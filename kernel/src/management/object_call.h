// What: ObjectCall, one call of an Object that management makes for its client, in JSON.
// Why: an Object that does not answer holds no thread, and a client that goes ends what it asked
// for.
// Who: the management Object.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hector/capsule.h"
#include "hector/management/v1/management.pb.h"

namespace hector {

/// Held by itself until it has ended, by its timer and by the client's cancellation. Any thread.
class ObjectCall final : public Call, public std::enable_shared_from_this<ObjectCall> {
 public:
  /// Messages of a flow that are kept for one reply; the flow is cancelled at the next one.
  static constexpr std::size_t kFlowMessagesMax = 10'000;
  /// Runs exactly once.
  using Done = std::function<void(Result<management::v1::CallReply>)>;
  struct Request {
    std::unique_ptr<Target> target;
    const Operation* operation;  ///< of the target's Interface
    std::string json;
    Deadline deadline;  ///< of the client's call
  };

  ObjectCall(Request request, const Clock& clock, Executor& executor, Done done);
  /// Once. `done` comes by the deadline, whatever the Object does: with DEADLINE_EXCEEDED, or, for
  /// a flow out of the Object, with what came until shortly before it and why it was cut.
  void begin();
  /// The client does not wait any more: the Object is told, and `done` runs at once.
  void abandon(const Error& why);

 private:
  Status write_request();
  void read_on();
  /// Keeps what a read brought; true: another read is wanted.
  bool keep(Result<std::optional<Payload>> message);
  void at_deadline();
  void finished() noexcept override;
  void end_if_over();
  Result<management::v1::CallReply> outcome();
  void answer(Result<management::v1::CallReply> result);

  Request request_;
  Executor& executor_;
  Done done_;
  std::shared_ptr<Stream> flow_;
  std::shared_ptr<ObjectCall> self_;  ///< until the call has ended
  TimerId timer_ = 0;
  std::atomic<bool> is_answered_{false};
  std::atomic<unsigned> reads_{0};  ///< wanted, the one that runs among them
  std::mutex mutex_;                ///< of all below
  std::vector<Bytes> messages_;
  std::string why_cut_;
  bool is_reading_ = false;
  bool is_ended_ = false;
};

}  // namespace hector
