// What: Interface, compiled from its type: operations by index, and the order in which they may
// come.
// Why: the hot path knows an operation by a small number, never by its name.
// Who: offers, channels, protocols, languages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"

namespace hector {

enum class Kind : std::uint8_t { kRpc, kAnnounce, kStream };
/// Which way messages flow in a kStream operation, seen from the offering Object.
enum class Flow : std::uint8_t { kNone, kOut, kIn, kBoth };

std::string_view kind_name(Kind kind) noexcept;

struct Operation {
  std::string name;
  std::uint32_t index = 0;
  Kind kind = Kind::kRpc;
  Flow flow = Flow::kNone;
  std::string input;   ///< full message name
  std::string output;  ///< full message name; empty for announcements
  bool idempotent = false;
  std::vector<std::string> throws;
};

/// Immutable; any thread.
class Interface {
 public:
  virtual ~Interface() = default;
  /// "diary.Calendar"
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t major() const noexcept = 0;
  /// "diary.Calendar/1"
  [[nodiscard]] virtual const std::string& id() const noexcept = 0;
  /// SHA-256 of the canonical form, 64 hex digits.
  [[nodiscard]] virtual const std::string& identity() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<Operation>& operations() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<Operation>& initiates() const noexcept = 0;
  /// Null if there is none of this name.
  [[nodiscard]] virtual const Operation* find(std::string_view operation) const noexcept = 0;
  /// A serialised google.protobuf.FileDescriptorSet: all message types, and a service of this
  /// Interface's name.
  [[nodiscard]] virtual const std::string& descriptors() const noexcept = 0;
  /// A serialised hector.type.v1.Interface.
  [[nodiscard]] virtual const std::string& model() const noexcept = 0;
  /// Between Protobuf's JSON mapping and its bytes. INVALID_ARGUMENT names the field.
  [[nodiscard]] virtual Result<std::string> from_json(std::string_view message,
                                                      std::string_view json) const = 0;
  [[nodiscard]] virtual Result<std::string> to_json(std::string_view message,
                                                    std::string_view bytes) const = 0;
};

using InterfacePtr = std::shared_ptr<const Interface>;

}  // namespace hector
