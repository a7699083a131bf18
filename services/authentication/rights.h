// What: rights as delegation compares them: texts, and "bind:*" for all that begin so.
// Why: whether a right is among others is decided without knowing what it allows.
// Who: minting.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"

namespace hector::authentication {

using Rights = std::vector<std::string>;

/// 1 to 64 of 1 to 200 visible ASCII characters each, with '*' at an end only. INVALID_ARGUMENT.
Status check_rights(const Rights& rights);
/// Whether `held` has `wanted`, or a wider one.
bool has_right(const Rights& held, std::string_view wanted) noexcept;
/// The first of `wanted` that `held` does not have; empty: there is none.
std::string missing_right(const Rights& held, const Rights& wanted);

}  // namespace hector::authentication
