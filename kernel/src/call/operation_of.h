// What: operation_of, the operation that a header names.
// Why: a header names it by index or by name; which of them counts is decided once.
// Who: targets and inbound calls.
#pragma once

#include "hector/interface.h"
#include "hector/message.h"

namespace hector {

/// By index, or by name where the header has none (kByName). Null if the Interface has no such
/// operation. Hot path: an index costs one comparison.
inline const Operation* operation_of(const Interface& interface, const Header& header) noexcept {
  if (header.operation == kByName) return interface.find(header.operation_name);
  const auto& operations = interface.operations();
  return header.operation < operations.size() ? &operations[header.operation] : nullptr;
}

/// The one at this address, which may be any; null: it is none of the Interface's.
inline const Operation* operation_at(const Interface& interface, const void* address) noexcept {
  for (const auto& each : interface.operations()) {
    if (&each == address) return &each;
  }
  return nullptr;
}

}  // namespace hector
