#include "party/coordinator_names.h"

#include <cstddef>
#include <iterator>

#include "hector/check.h"

namespace hector {

std::string coordinator_operation_name(CoordinatorOperation operation) {
  static constexpr const char* kNames[] = {
      "describe_offer", "prepare",     "commit",  "release", "move_channel", "pause",
      "freeze",         "hand_over",   "arrived", "adopt",   "activate",     "warm",
      "replace",        "reconfigure", "lose",    "resume",  "drop",         "suspect"};
  HECTOR_CHECK(static_cast<std::size_t>(operation) < std::size(kNames),
               "the coordinator has no such operation");
  return kNames[static_cast<std::size_t>(operation)];
}

}  // namespace hector
