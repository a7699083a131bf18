// What: WorldObject, the Object that stands for a whole network of foreign objects: its topics, its
// wiring.
// Why: what belongs to no single foreign object is reached through an Interface as well.
// Who: heros, zeromq.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hector/protocol.h"
#include "objects/audience.h"
#include "objects/messages.h"

namespace hector::objects {

/// A servant made of one function for each operation, by name. The codec, and what the functions
/// refer to, outlive its calls; the functions may own them.
class WorldObject final : public Servant {
 public:
  using Handler = std::function<void(Call& call, const Value& fields)>;
  WorldObject(const MessageCodec& codec, std::map<std::string, Handler> handlers)
      : codec_(codec), handlers_(std::move(handlers)) {}
  void invoke(Call& call) noexcept override;

 private:
  const MessageCodec& codec_;
  const std::map<std::string, Handler> handlers_;
};

/// The text under the key; empty where there is none.
std::string text_in(const Value& map, std::string_view key);
std::vector<std::string> texts_in(const Value& map, std::string_view key);

}  // namespace hector::objects
