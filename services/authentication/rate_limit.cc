#include "rate_limit.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::authentication {

bool RateLimit::take(const std::string& peer, unsigned count) {
  const std::lock_guard lock(mutex_);
  auto& bucket = bucket_of(peer);
  const TimePoint now = clock_.now();
  const std::chrono::duration<double> since = now - bucket.filled;
  bucket.left = std::min<double>(per_s_, bucket.left + since.count() * per_s_);
  bucket.filled = now;
  if (bucket.left < count) return false;
  bucket.left -= count;
  return true;
}

RateLimit::Bucket& RateLimit::bucket_of(const std::string& peer) {
  if (const auto found = by_peer_.find(peer); found != by_peer_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    return buckets_.front();
  }
  if (buckets_.size() >= kPeersMax) {
    by_peer_.erase(buckets_.back().peer);
    buckets_.pop_back();
  }
  buckets_.push_front({peer, static_cast<double>(per_s_), clock_.now()});
  by_peer_[peer] = buckets_.begin();
  HECTOR_CHECK(by_peer_.size() == buckets_.size(), "a peer has two buckets");
  return buckets_.front();
}

std::size_t RateLimit::peers() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace hector::authentication
