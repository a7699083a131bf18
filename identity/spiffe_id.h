// What: SPIFFE ids: spiffe://TRUST-DOMAIN/PATH.
// Why: an id has one spelling, so that ids are compared octet by octet.
// Who: leaves of chains, subjects of tokens, names of trust domains.
#pragma once

#include <string>
#include <string_view>

#include "hector/identity.h"

namespace hector::identity {

inline constexpr std::size_t kIdOctetsMax = 2048;
inline constexpr std::size_t kTrustDomainOctetsMax = 255;

/// Lower-case letters, digits, '.', '-', '_'.
bool is_trust_domain(std::string_view text) noexcept;

class SpiffeId {
 public:
  /// An id of a workload: with a path. MALFORMED says which rule is broken.
  static Judged<SpiffeId> read(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string_view trust_domain() const;

 private:
  SpiffeId(std::string text, std::size_t domain_length)
      : text_(std::move(text)), domain_length_(domain_length) {}

  std::string text_;
  std::size_t domain_length_;
};

}  // namespace hector::identity
