#include "engine/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hector::stores {

namespace {

tl::unexpected<Error> too_large(std::string what) {
  return fail(Error::invalid_argument("TOO_LARGE: " + std::move(what)).with_type(kStoreTooLarge));
}

Status check_key(std::string_view key, const StoreLimits& limits) {
  if (key.empty()) return fail(Error::invalid_argument("a key has at least one octet"));
  if (key.size() > limits.key_octets_max)
    return too_large(fmt::format("a key may have {} octets, this one has {}", limits.key_octets_max,
                                 key.size()));
  const auto first = static_cast<unsigned char>(key.front());
  if (first == 0 || first == 0xff)
    return fail(Error::invalid_argument(fmt::format(
        "a key may not begin with the octet 0x{:02x}: those are the store's own", first)));
  return {};
}

Status check_range(const KeyRange& range, const StoreLimits& limits) {
  if (range.from.size() > limits.key_octets_max || range.to.size() > limits.key_octets_max + 1)
    return too_large(fmt::format("a key may have {} octets", limits.key_octets_max));
  return {};
}

constexpr Duration kTtlMin = std::chrono::seconds(1);       // a timer's resolution, many times
constexpr Duration kTtlMax = std::chrono::hours(24 * 365);  // a forgotten lease ends some day

std::size_t octets_of(const StoreOperation& operation) {
  if (operation.kind == StoreOperation::Kind::kPut)
    return operation.key.size() + operation.value.size();
  return operation.range.from.size() + operation.range.to.size();
}

/// A key changes once in a transaction: no put twice, none that is erased as well.
Status check_changes(std::vector<std::string_view> puts,
                     const std::vector<const KeyRange*>& erasures) {
  std::sort(puts.begin(), puts.end());
  const auto twice = std::adjacent_find(puts.begin(), puts.end());
  if (twice != puts.end())
    return fail(Error::invalid_argument(fmt::format(
        "the transaction puts '{}' twice; a key changes once in a transaction", *twice)));
  for (const auto* range : erasures) {
    const auto first = std::lower_bound(puts.begin(), puts.end(), range->from);
    if (first != puts.end() && range->contains(*first))
      return fail(Error::invalid_argument(fmt::format(
          "the transaction both puts and erases '{}'; a key changes once in a transaction",
          *first)));
  }
  return {};
}

Status check_branch(const std::vector<StoreOperation>& operations, const StoreLimits& limits) {
  std::vector<std::string_view> puts;
  std::vector<const KeyRange*> erasures;
  for (const auto& operation : operations) {
    if (operation.kind != StoreOperation::Kind::kPut) {
      HECTOR_TRY(check_range(operation.range, limits));
      if (operation.kind == StoreOperation::Kind::kErase) erasures.push_back(&operation.range);
      continue;
    }
    HECTOR_TRY(check_key(operation.key, limits));
    if (operation.value.size() > limits.value_octets_max)
      return too_large(fmt::format(
          "the value of '{}' has {} octets, a value may have {}: divide it over several keys",
          operation.key, operation.value.size(), limits.value_octets_max));
    puts.push_back(operation.key);
  }
  return check_changes(std::move(puts), erasures);
}

}  // namespace

std::size_t octets_of(const StoreTransaction& transaction) {
  std::size_t octets = transaction.idempotency_key.size();
  for (const auto& compare : transaction.compares)
    octets += compare.key.size() + compare.value.size();
  for (const auto* branch : {&transaction.then, &transaction.otherwise}) {
    for (const auto& operation : *branch) octets += octets_of(operation);
  }
  return octets;
}

Status check(const StoreTransaction& transaction, const StoreLimits& limits) {
  const std::size_t operations =
      transaction.compares.size() + transaction.then.size() + transaction.otherwise.size();
  if (operations > limits.operations_max)
    return too_large(
        fmt::format("a transaction may have {} compares and operations, this one has {}",
                    limits.operations_max, operations));
  if (transaction.idempotency_key.size() > limits.key_octets_max / 2)
    return too_large(
        fmt::format("an idempotency key may have {} octets", limits.key_octets_max / 2));
  for (const auto& compare : transaction.compares) HECTOR_TRY(check_key(compare.key, limits));
  HECTOR_TRY(check_branch(transaction.then, limits));
  HECTOR_TRY(check_branch(transaction.otherwise, limits));
  const std::size_t octets = octets_of(transaction);
  if (octets > limits.transaction_octets_max)
    return too_large(fmt::format("a transaction may have {} octets, this one has {}",
                                 limits.transaction_octets_max, octets));
  return {};
}

Status check(const StoreRead& request, const StoreLimits& limits) {
  if (request.revision < 0 || request.at_least < 0)
    return fail(Error::invalid_argument("a revision is not negative"));
  if (!request.after.empty() && request.revision == 0)
    return fail(
        Error::invalid_argument("a cursor belongs to the revision of the page it came with"));
  return check_range(request.range, limits);
}

Status check_ttl(Duration ttl) {
  if (ttl < kTtlMin || ttl > kTtlMax)
    return fail(Error::invalid_argument("a lease lives for 1 s to 365 days"));
  return {};
}

Error compacted(Revision asked, Revision oldest) {
  return Error::out_of_range(fmt::format("COMPACTED: revision {} is compacted, the oldest readable "
                                         "one is {}: read the current state again",
                                         asked, oldest))
      .with_type(kStoreCompacted)
      .with_detail(std::to_string(oldest));
}
Error other_epoch(std::uint64_t asked, std::uint64_t is) {
  return Error::failed_precondition(
             fmt::format("the revision is of epoch {:x}, the store is in epoch {:x} (it was "
                         "restored from a backup): read the current state again",
                         asked, is))
      .with_type(kStoreOtherEpoch);
}
Error in_future(Revision asked, Revision is) {
  return Error::failed_precondition(
      fmt::format("the store is at revision {}, not yet at {}", is, asked));
}
Error lease_not_found(LeaseId lease) {
  return Error::not_found(
             fmt::format("LEASE_NOT_FOUND: there is no lease {:x}; it has ended, ask for another",
                         lease))
      .with_type(kStoreLeaseNotFound);
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
