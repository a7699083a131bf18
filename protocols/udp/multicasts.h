// What: Multicasts, what a member of a multicast group puts together and has confirmed.
// Why: anybody can send a multicast, under anybody's address. Its sender is asked whether it sent
// these octets before anything is done, and what is not confirmed has a bound.
// Who: the udp endpoint.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "hector/clock.h"
#include "hector/network.h"
#include "packet.h"

namespace hector::udp {

/// One thread at a time.
class Multicasts {
 public:
  /// Octets of multicasts that are not whole or not confirmed; the oldest go first.
  static constexpr std::size_t kOctetsMax = 8 * 1024 * 1024;
  static constexpr std::size_t kPendingMax = 256;  ///< incomplete ones; the oldest goes
  /// Remembered, so that a duplicate is dropped.
  static constexpr std::size_t kSeenMax = 4'096;

  explicit Multicasts(Random& random) : random_(random) {}

  struct Question {
    std::uint64_t message;
    std::uint64_t token;
    std::string digest;
  };
  /// Takes a fragment, after its type. The question for its sender, once all are there.
  std::optional<Question> take(const NetworkAddress& from, Reader& reader);
  /// The content, if that is what this sender was asked; once.
  std::optional<std::string> confirmed(const NetworkAddress& from, std::uint64_t message,
                                       std::uint64_t token);
  [[nodiscard]] std::size_t octets() const { return octets_; }

 private:
  /// The same number from another address is another message.
  struct Pending {
    NetworkAddress from;
    std::uint64_t message = 0;
    std::uint64_t count = 0;
    std::map<std::uint64_t, std::string> parts;
    std::string whole;
    std::uint64_t token = 0;
    std::size_t octets = 0;  ///< with what its entries cost
  };
  using Place = std::list<Pending>::iterator;

  Place find(const NetworkAddress& from, std::uint64_t message);
  void forget(Place place);

  Random& random_;
  std::list<Pending> pending_;  ///< the oldest first
  std::size_t octets_ = 0;
  std::set<std::pair<std::uint64_t, std::size_t>> seen_;  ///< number, and hash of the address
  std::deque<std::pair<std::uint64_t, std::size_t>> seen_order_;
};

}  // namespace hector::udp
