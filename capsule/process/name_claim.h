// What: NameClaim, the lock by which one process holds a capsule's name in a run directory.
// Why: two capsules of one name would write over each other's reference and state; and a reference
// whose claim is free was left behind by a capsule that was killed.
// Who: CapsuleProcess takes one; the command line asks whether one is held.
#pragma once

#include <string>

#include "hector/descriptor.h"
#include "hector/result.h"

namespace hector {

/// Of a file of the run directory that could not be written, with what errno says:
/// RESOURCE_EXHAUSTED on a full disk, else UNAVAILABLE.
Error not_written(const std::string& file);

/// Held until it is destroyed or the process ends, however it ends: an open file description lock
/// (fcntl(2), F_OFD_SETLK) on NAME.lock, which contains the number of the process and whether it
/// runs. Who takes the reference of a capsule that runs out of the directory frees its name: nobody
/// finds that capsule any more, and another one may have the name.
class NameClaim {
 public:
  /// ALREADY_EXISTS names the process that holds it; not_written() where no file can be made.
  static Result<NameClaim> take(const std::string& directory, const std::string& capsule);
  /// From now on the capsule has its reference in the directory.
  void runs() const;
  /// Nobody has taken the name over.
  [[nodiscard]] bool is_held() const;

  NameClaim() = default;
  ~NameClaim() { release(); }
  NameClaim(NameClaim&& other) noexcept = default;
  NameClaim& operator=(NameClaim&& other) noexcept;
  NameClaim(const NameClaim&) = delete;
  NameClaim& operator=(const NameClaim&) = delete;

  /// The name is free. Idempotent.
  void release();

 private:
  NameClaim(std::string file, Descriptor lock)
      : file_(std::move(file)), descriptor_(std::move(lock)) {}

  std::string file_;
  Descriptor descriptor_;
};

/// Whether a process holds the name now. Takes nothing itself.
bool is_claimed(const std::string& directory, const std::string& capsule);

}  // namespace hector
