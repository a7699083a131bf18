// What: Blobs, contents by their digest, in parts that any store takes.
// Why: the same text is kept once; what comes back is compared with its digest, so what was altered
// is never used.
// Who: the Type service.
#pragma once

#include <list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hector/store.h"

namespace hector::type_service {

/// Any thread; reading and writing block.
class Blobs {
 public:
  static constexpr std::size_t kPartOctets = 200 * 1024;  ///< any store takes it as one value
  /// As a message of Hector's protocols.
  static constexpr std::size_t kOctetsMax = 16 * 1024 * 1024;
  Blobs(Store& store, std::string prefix) : store_(store), prefix_(std::move(prefix)) {}
  /// Its digest. RESOURCE_EXHAUSTED above kOctetsMax.
  Result<std::string> put(const std::string& content);
  /// NOT_FOUND; DATA_LOSS (BAD_SIGNATURE) where the content is not what its digest says. What was
  /// read is remembered, up to 64 MiB.
  Result<std::shared_ptr<const std::string>> get(const std::string& digest);

 private:
  static constexpr std::size_t kRememberedOctetsMax = 64 * 1024 * 1024;  ///< the oldest go first
  void remember(const std::string& digest, std::shared_ptr<const std::string> content);
  [[nodiscard]] std::string key_of(const std::string& digest) const {
    return prefix_ + digest + "/";
  }
  Store& store_;
  const std::string prefix_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const std::string>> remembered_;
  std::list<std::string> order_;
  std::size_t octets_ = 0;
};

}  // namespace hector::type_service
