// What: RocNetwork, the Object that stands for a ROC network: its status messages and logs.
// Why: they belong to no single service; they pass the broker's relay on sockets of their own.
// Who: Roc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "json_values.h"
#include "objects/audience.h"
#include "objects/messages.h"
#include "roc_link.h"

namespace hector::zeromq {

/// What of a status message matches a mask of whole segments: the sensor and its value. A parent's
/// message holds its children's. Nothing: it does not match.
std::optional<std::pair<std::string, Value>> status_for(const std::string& sensor,
                                                        const Value& value,
                                                        const std::string& mask);

/// Shared with the Object's servant, whose calls may outlast the node.
class RocNetwork final : public std::enable_shared_from_this<RocNetwork> {
 public:
  explicit RocNetwork(std::shared_ptr<RocLink> link);
  /// On the reactor's thread.
  Status open();
  /// Blocks. The errors of Hosting::adopt().
  Status adopt();
  /// Ends the flows of its readers. Any thread.
  void close();

 private:
  using Audience = objects::Audience;
  Result<std::unique_ptr<Servant>> servant(const Interface& interface);
  void publish(Call& call, const std::string& topic, const Value* value);
  void subscribe(const char* prefix, bool is_wanted);
  void receive(const Frames& frames);
  void tell_status(const std::string& sensor, const Value& value);
  void tell_log(const std::string& name, Value record);

  const std::shared_ptr<RocLink> link_;
  std::unique_ptr<const objects::MessageCodec> codec_;
  const Operation *status_ = nullptr, *log_ = nullptr;
  Reactor::Socket *out_ = nullptr, *in_ = nullptr;  ///< the reactor's
  Audience statuses_, logs_;
};

}  // namespace hector::zeromq
