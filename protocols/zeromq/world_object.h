// What: WorldObject, the Object that stands for a network of topics: flows of what is heard there, announcements into it.
// Why: any Object can be bound to topics, status trees and logs, by type.
// Who: Hermes, Roc.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hector/protocol.h"
#include "objects/flow_reader.h"
#include "objects/messages.h"

namespace hector::zeromq {

using objects::Value;

/// The readers of one flow operation, each with what it asked for. Any thread.
class Audience {
 public:
  struct Listener {
    std::shared_ptr<objects::FlowReader> reader;
    Value asked;  ///< the request's fields
    TimePoint told;
  };
  using Changed = std::function<void(const Value& asked, bool is_there)>;
  explicit Audience(Changed changed = {}) : changed_(std::move(changed)) {}
  void add(Call& call, Value asked, TimePoint now);
  /// `what` makes the message for a listener; nothing: it is not for him.
  void tell(const std::function<std::optional<Bytes>(const Listener& listener)>& what, TimePoint now);
  void close(const Error& why);
  [[nodiscard]] bool is_empty() const;

 private:
  void end(const std::shared_ptr<objects::FlowReader>& reader, const std::optional<Error>& why);
  const Changed changed_;
  mutable std::mutex mutex_;
  std::vector<Listener> listeners_;
};

/// A servant made of one function for each operation, by name. What it stands for has to outlive its calls.
class WorldObject final : public Servant {
 public:
  using Handler = std::function<void(Call& call, const Value& fields)>;
  WorldObject(std::shared_ptr<const objects::MessageCodec> codec, std::map<std::string, Handler> handlers) : codec_(std::move(codec)), handlers_(std::move(handlers)) {}
  void invoke(Call& call) noexcept override;

 private:
  const std::shared_ptr<const objects::MessageCodec> codec_;
  const std::map<std::string, Handler> handlers_;
};

/// A text of a map's; empty where it is none.
std::string text_in(const Value& map, std::string_view key);
std::vector<std::string> texts_in(const Value& map, std::string_view key);

}  // namespace hector::zeromq
