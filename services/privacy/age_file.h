// What: age files: seal for recipients, and AgeOpener, which opens one as it arrives.
// Why: files are exchanged with whoever has age or rage; a reader gets a chunk as soon as it is
// known to be genuine, and nothing after one that is not.
// Who: the trial of steps; the servant.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "age_armor.h"
#include "age_header.h"
#include "age_keys.h"
#include "chunks.h"

namespace hector::privacy {

/// Writes a binary age file as its text arrives. One at a time.
class AgeSealer {
 public:
  /// Recipients are public keys that read_recipient() gave, one at least. Appends the header.
  AgeSealer(const std::vector<std::string>& recipients, std::string& out);
  void add(std::string_view text, std::string& out) { chunks_.add(text, out); }
  void finish(std::string& out) { chunks_.finish(out); }

 private:
  ChunkSealer chunks_;
};

/// A binary age file. Recipients are public keys that read_recipient() gave, one at least.
std::string seal(const std::vector<std::string>& recipients, std::string_view text);

/// One at a time. After an error every call gives the same one.
class AgeOpener {
 public:
  using Sink = std::function<void(std::string_view)>;
  /// The identities outlive it.
  AgeOpener(const std::vector<Secret>& identities, Sink sink);
  /// Binary or armor, cut anywhere. MALFORMED, NO_IDENTITY_MATCHED, AUTH_FAILED.
  Status add(std::string_view octets);
  /// The file ends here.
  Status finish();
  /// Octets that the sink was given.
  [[nodiscard]] std::uint64_t released() const { return released_; }

 private:
  enum class Form : std::uint8_t { kUnknown, kBinary, kArmor };
  Status remember(Status done);
  Status take(std::string_view octets);
  Status take_binary(std::string_view octets);
  Status take_header();
  Status release(bool is_genuine, std::string& text);
  Status find_form();
  const std::vector<Secret>& identities_;
  Sink sink_;
  std::optional<Error> broken_;
  Form form_ = Form::kUnknown;
  ArmorReader armor_;
  std::string pending_;  ///< octets that are not read yet: of the header, of the nonce
  std::size_t searched_ = 0;
  std::optional<Wiped<16>> file_key_;
  std::optional<ChunkOpener> chunks_;
  std::uint64_t released_ = 0;
};

}  // namespace hector::privacy
