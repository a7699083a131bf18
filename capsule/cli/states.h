// What: states_of(), whether each of some capsules answers now.
// Why: a reference outlives a capsule that was killed; a list has to tell what runs from what is
// left.
// Who: `hector get capsules`.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace hector {

/// In the order of the names: what `ask` says of each ("up"), or "silent" for one that has said
/// nothing within `patience`. Each is asked in a process of its own, which ends with the answer or
/// with the patience: connecting to nobody takes longer. Only where this process has one thread.
std::vector<std::string> states_of(const std::vector<std::string>& names,
                                   const std::function<std::string(const std::string&)>& ask,
                                   std::chrono::milliseconds patience);

}  // namespace hector
