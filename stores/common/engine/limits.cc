#include "engine/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hector::stores {

namespace {

tl::unexpected<Error> too_large(std::string what) {
  return fail(Error{Code::kInvalidArgument,
                    "TOO_LARGE: " + std::move(what),
                    std::string(kStoreTooLarge),
                    {},
                    {}});
}

Status check_key(std::string_view key, const StoreLimits& limits) {
  if (key.empty()) return fail(Code::kInvalidArgument, "a key has at least one octet");
  if (key.size() > limits.key_octets_max)
    return too_large(fmt::format("a key may have {} octets, this one has {}", limits.key_octets_max,
                                 key.size()));
  const auto first = static_cast<unsigned char>(key.front());
  if (first == 0 || first == 0xff)
    return fail(
        Code::kInvalidArgument,
        fmt::format("a key may not begin with the octet 0x{:02x}: those are the store's own",
                    first));
  return {};
}

Status check_range(const KeyRange& range, const StoreLimits& limits) {
  if (range.from.size() > limits.key_octets_max || range.to.size() > limits.key_octets_max + 1)
    return too_large(fmt::format("a key may have {} octets", limits.key_octets_max));
  return {};
}

Status check_branch(const std::vector<StoreOperation>& operations, const StoreLimits& limits,
                    std::size_t& octets) {
  std::vector<std::string_view> puts;
  std::vector<const KeyRange*> erasures;
  for (const auto& operation : operations) {
    if (operation.kind == StoreOperation::Kind::kPut) {
      if (auto fits = check_key(operation.key, limits); !fits) return fits;
      if (operation.value.size() > limits.value_octets_max) {
        return too_large(fmt::format(
            "the value of '{}' has {} octets, a value may have {}: divide it over several keys",
            operation.key, operation.value.size(), limits.value_octets_max));
      }
      octets += operation.key.size() + operation.value.size();
      puts.push_back(operation.key);
    } else {
      if (auto fits = check_range(operation.range, limits); !fits) return fits;
      octets += operation.range.from.size() + operation.range.to.size();
      if (operation.kind == StoreOperation::Kind::kErase) erasures.push_back(&operation.range);
    }
  }
  std::sort(puts.begin(), puts.end());
  const auto twice = std::adjacent_find(puts.begin(), puts.end());
  if (twice != puts.end())
    return fail(Code::kInvalidArgument,
                fmt::format("the transaction puts '{}' twice; a key changes once in a transaction",
                            *twice));
  for (const auto* range : erasures) {
    const auto first = std::lower_bound(puts.begin(), puts.end(), range->from);
    if (first != puts.end() && range->contains(*first))
      return fail(
          Code::kInvalidArgument,
          fmt::format(
              "the transaction both puts and erases '{}'; a key changes once in a transaction",
              *first));
  }
  return {};
}

}  // namespace

Status check(const StoreTransaction& transaction, const StoreLimits& limits) {
  const std::size_t operations =
      transaction.compares.size() + transaction.then.size() + transaction.otherwise.size();
  if (operations > limits.operations_max)
    return too_large(
        fmt::format("a transaction may have {} compares and operations, this one has {}",
                    limits.operations_max, operations));
  std::size_t octets = transaction.idempotency_key.size();
  if (octets > limits.key_octets_max / 2)
    return too_large(
        fmt::format("an idempotency key may have {} octets", limits.key_octets_max / 2));
  for (const auto& compare : transaction.compares) {
    if (auto fits = check_key(compare.key, limits); !fits) return fits;
    octets += compare.key.size() + compare.value.size();
  }
  for (const auto* branch : {&transaction.then, &transaction.otherwise}) {
    if (auto fits = check_branch(*branch, limits, octets); !fits) return fits;
  }
  if (octets > limits.transaction_octets_max)
    return too_large(fmt::format("a transaction may have {} octets, this one has {}",
                                 limits.transaction_octets_max, octets));
  return {};
}

Status check(const StoreRead& request, const StoreLimits& limits) {
  if (request.revision < 0 || request.at_least < 0)
    return fail(Code::kInvalidArgument, "a revision is not negative");
  if (!request.after.empty() && request.revision == 0)
    return fail(Code::kInvalidArgument,
                "a cursor belongs to the revision of the page it came with");
  return check_range(request.range, limits);
}

Status check_ttl(Duration ttl) {
  if (ttl < std::chrono::seconds(1) || ttl > std::chrono::hours(24 * 365))
    return fail(Code::kInvalidArgument, "a lease lives for 1 s to 365 days");
  return {};
}

Error compacted(Revision asked, Revision oldest) {
  return {Code::kOutOfRange,
          fmt::format(
              "COMPACTED: revision {} is forgotten, {} is the oldest there is: read the state anew",
              asked, oldest),
          std::string(kStoreCompacted),
          std::to_string(oldest),
          {}};
}
Error other_epoch(std::uint64_t asked, std::uint64_t is) {
  return {Code::kFailedPrecondition,
          fmt::format("the revision is of epoch {:x}, the store is in epoch {:x} (it was restored "
                      "from a backup): read the state anew",
                      asked, is),
          std::string(kStoreOtherEpoch),
          {},
          {}};
}
Error in_future(Revision asked, Revision is) {
  return {Code::kFailedPrecondition,
          fmt::format("the store is at revision {}, not yet at {}", is, asked)};
}
Error lease_not_found(LeaseId lease) {
  return {
      Code::kNotFound,
      fmt::format("LEASE_NOT_FOUND: there is no lease {:x}; it has ended, ask for another", lease),
      std::string(kStoreLeaseNotFound),
      {},
      {}};
}

std::string outcome_text(const StoreOutcome& outcome) {
  return fmt::format("{}{}", outcome.succeeded ? '+' : '-', outcome.revision);
}
StoreOutcome outcome_of_text(std::string_view text) {
  StoreOutcome outcome;
  outcome.replayed = true;
  if (text.empty()) return outcome;
  outcome.succeeded = text.front() == '+';
  std::from_chars(text.data() + 1, text.data() + text.size(), outcome.revision);
  return outcome;
}

}  // namespace hector::stores
