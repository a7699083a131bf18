// What: RateLimit, how many credentials one peer may show in a second.
// Why: a signature that is verified costs more than one that is sent.
// Who: the Authentication servant.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "hector/clock.h"

namespace hector::authentication {

/// Any thread. A second's worth may come at once.
class RateLimit {
 public:
  static constexpr std::size_t kPeersMax = 4'096;  ///< the one that was silent longest is forgotten

  RateLimit(const Clock& clock, unsigned per_s) : clock_(clock), per_s_(per_s) {}
  /// False: the peer has shown too many; this one is not counted.
  bool take(const std::string& peer, unsigned count = 1);
  [[nodiscard]] unsigned per_s() const { return per_s_; }
  [[nodiscard]] std::size_t peers() const;

 private:
  struct Bucket {
    std::string peer;
    double left = 0;
    TimePoint filled{};
  };
  Bucket& bucket_of(const std::string& peer);

  const Clock& clock_;
  const unsigned per_s_;
  mutable std::mutex mutex_;
  std::list<Bucket> buckets_;  ///< the one that came last first
  std::unordered_map<std::string, std::list<Bucket>::iterator> by_peer_;
};

}  // namespace hector::authentication
