// What: fragments of multicasts to whole ones, and the question to their sender.
// Why: see the header.
// Who: the udp endpoint.
#include "multicasts.h"

#include <algorithm>

#include "conversation.h"
#include "hector/check.h"

namespace hector::udp {

namespace {

constexpr std::size_t kEntryOctets = 128;  ///< what a fragment costs beside its octets

}  // namespace

Multicasts::Place Multicasts::find(const NetworkAddress& from, std::uint64_t message) {
  return std::find_if(pending_.begin(), pending_.end(), [&](const Pending& each) {
    return each.message == message && each.from == from;
  });
}

void Multicasts::forget(Place place) {
  HECTOR_CHECK(place->octets <= octets_, "a multicast gives back more than it held");
  octets_ -= place->octets;
  pending_.erase(place);
  HECTOR_CHECK(!pending_.empty() || octets_ == 0, "octets are held for no multicast");
}

std::optional<Multicasts::Question> Multicasts::take(const NetworkAddress& from, Reader& reader) {
  const std::uint64_t message = reader.fixed();
  const std::uint64_t index = reader.number();
  const std::uint64_t count = reader.number();
  if (!reader.ok() || count == 0 || count > kMulticastFragmentsMax || index >= count)
    return std::nullopt;
  if (seen_.contains({message, NetworkAddressHash()(from)})) return std::nullopt;
  auto place = find(from, message);
  if (place == pending_.end()) {
    if (pending_.size() >= kPendingMax) forget(pending_.begin());
    place = pending_.emplace(pending_.end());
    place->from = from;
    place->message = message;
    place->count = count;
  }
  // Another count is another message; a whole one waits for its sender's word.
  if (place->count != count || !place->whole.empty()) return std::nullopt;
  const Octets data = reader.rest();
  if (!place->parts.emplace(index, std::string(data.begin(), data.end())).second)
    return std::nullopt;
  place->octets += data.size() + kEntryOctets;
  octets_ += data.size() + kEntryOctets;
  while (octets_ > kOctetsMax && pending_.begin() != place) forget(pending_.begin());
  HECTOR_CHECK(pending_.size() <= kPendingMax, "more multicasts are pending than may be");
  HECTOR_CHECK(place->parts.size() <= count, "a multicast has more fragments than it said");
  if (place->parts.size() < count) return std::nullopt;
  for (const auto& [number, part] : place->parts) place->whole += part;
  place->parts.clear();
  place->token = random_.next();
  return Question{message, place->token, digest_of(place->whole)};
}

std::optional<std::string> Multicasts::confirmed(const NetworkAddress& from, std::uint64_t message,
                                                 std::uint64_t token) {
  const auto place = find(from, message);
  if (place == pending_.end() || place->whole.empty() || place->token != token) return std::nullopt;
  std::string whole = std::move(place->whole);
  forget(place);
  const std::pair key(message, NetworkAddressHash()(from));
  if (seen_order_.size() >= kSeenMax) {
    seen_.erase(seen_order_.front());
    seen_order_.pop_front();
  }
  seen_order_.push_back(key);
  seen_.insert(key);
  HECTOR_CHECK(seen_order_.size() <= kSeenMax, "more multicasts are remembered than may be");
  return whole;
}

}  // namespace hector::udp
