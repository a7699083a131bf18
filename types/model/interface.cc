#include "hector/interface.h"

namespace hector {

std::string_view kind_name(Kind kind) noexcept {
  return kind == Kind::kRpc ? "rpc" : kind == Kind::kAnnounce ? "announce" : "stream";
}

}  // namespace hector
