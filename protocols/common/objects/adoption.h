// What: adopting a foreign object: its description becomes an Interface, under a free version.
// Why: every world of foreign objects does it in the same way.
// Who: heros, zeromq; the embedded capsule.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/protocol.h"
#include "objects/description.h"
#include "objects/messages.h"

namespace hector::objects {

struct Adoption {
  std::string object;          ///< its name here
  std::string interface_name;  ///< "hero.Camera"
  std::map<std::string, std::string> properties;
  std::string kind;  ///< Hosting::Adopted::kind
  BytesText texts = BytesText::kAsTheyAre;
};
using MakeServant = std::function<std::unique_ptr<Servant>(
    const WrittenInterface& written, std::unique_ptr<const MessageCodec> codec,
    const InterfacePtr& interface)>;
/// Versions of one class in the life of a capsule: more are a class that changes in a loop.
inline constexpr std::uint32_t kMajorsMax = 1'000;

/// Returns the Interface that was given. A class that has changed gets the next major version of
/// its Interface. Blocks. The errors of write_interface() and Hosting::adopt(); RESOURCE_EXHAUSTED
/// over kMajorsMax.
Result<WrittenInterface> adopt(Hosting& hosting, const void* owner, const Adoption& adoption,
                               const Description& description, const MakeServant& make,
                               std::vector<std::string>* left_out = nullptr);

/// A text as JSON, as properties have it.
std::string json_text(const std::string& text);

/// Whether one of the patterns equals the name, or ends with "*" and is a prefix of it.
bool is_listed(const std::vector<std::string>& patterns, const std::string& name);

}  // namespace hector::objects
