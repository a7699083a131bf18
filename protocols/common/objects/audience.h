// What: Audience, who reads one flow operation of an Object whose events come from elsewhere.
// Why: publishers do not wait; each reader has his own queue, and an end when it is full.
// Who: adopted objects.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "objects/flow_reader.h"
#include "objects/value.h"

namespace hector::objects {

/// The readers of one flow operation, each with what it asked for. Any thread.
class Audience {
 public:
  struct Listener {
    std::shared_ptr<FlowReader> reader;
    Value asked;  ///< the request's fields
    TimePoint told;
  };
  using Changed = std::function<void(const Value& asked, bool is_there)>;
  explicit Audience(Changed changed = {}) : changed_(std::move(changed)) {}
  void add(Call& call, Value asked, TimePoint now);
  /// `what` makes the message for a listener; nothing: it is not for him.
  void tell(const std::function<std::optional<Bytes>(const Listener& listener)>& what,
            TimePoint now);
  void close(const Error& why);
  [[nodiscard]] bool is_empty() const;

 private:
  void end(const std::shared_ptr<FlowReader>& reader, const std::optional<Error>& why);
  const Changed changed_;
  mutable std::mutex mutex_;
  std::vector<Listener> listeners_;
};

}  // namespace hector::objects
