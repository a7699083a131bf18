// What: how a refusal is made.
// Why: each rule refuses in one line, and its message never repeats octets of the input.
// Who: the files beside it.
#pragma once

#include <string>
#include <utility>

#include "hector/identity.h"

namespace hector::identity {

/// `return refuse(Fault::kMalformed, "…");` in a function that returns any Judged.
[[nodiscard]] inline tl::unexpected<Refusal> refuse(Fault fault, std::string message) {
  return tl::unexpected<Refusal>(Refusal{fault, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Refusal> malformed(std::string message) {
  return refuse(Fault::kMalformed, std::move(message));
}
[[nodiscard]] inline tl::unexpected<Refusal> refuse(Refusal refusal) {
  return tl::unexpected<Refusal>(std::move(refusal));
}

}  // namespace hector::identity
