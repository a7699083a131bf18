// What: Audience, the readers of one flow operation of an Object whose events come from elsewhere.
// Why: publishers do not wait; each reader has a queue of its own, and its flow ends when that is
// full.
// Who: adopted objects and the Objects that stand for networks.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "objects/flow_reader.h"
#include "objects/value.h"

namespace hector::objects {

/// Any thread. Outlives its readers' calls, which close() ends.
class Audience {
 public:
  struct Listener {
    FlowReader reader;
    Value asked;     ///< the request's fields
    TimePoint told;  ///< when it got its last message
  };
  using Changed = std::function<void(const Value& asked, bool is_there)>;
  explicit Audience(Changed changed = {}) : changed_(std::move(changed)) {}
  void add(Call& call, Value asked, TimePoint now);
  /// `what` makes the message for a listener, or nothing if it is not for this one.
  void tell(const std::function<std::optional<Bytes>(const Listener& listener)>& what,
            TimePoint now);
  void close(const Error& why);
  [[nodiscard]] bool is_empty() const;

 private:
  void end(const FlowReader& reader, std::optional<Error> why);
  const Changed changed_;
  mutable std::mutex mutex_;
  std::vector<Listener> listeners_;
};

}  // namespace hector::objects
