#include "replays.h"

#include <fmt/format.h>

#include <algorithm>

#include "bounds.h"
#include "hector/sha256.h"
#include "refusals.h"

namespace hector::authentication {

namespace {

constexpr std::size_t kForgottenAtOnce = 8;  ///< more than come: what has ended gets less
/// Another capsule of this store may have a clock that is late.
constexpr std::int64_t kKeptLongerSeconds = 60;

StoreOperation put_until(const std::string& key, std::int64_t until_s) {
  v1::Used used;
  used.set_until_s(until_s);
  return StoreOperation::put(key, Bytes::take(used.SerializeAsString()));
}

Status check_use(const TrustState& state, const Use& use) {
  if (use.until_s <= state.floor_s())
    return refuse_credential(kReplay,
                             "the token is older than the ids that are remembered, and may have "
                             "been used; if it is not, this clock was set back");
  if (!state.is_used(use.key)) return {};
  return refuse_credential(kReplay,
                           "the token was used, and is accepted once; ask for another one");
}

/// Of those that have ended: whoever comes with one again is refused by the floor.
void forget(const TrustState& state, const std::vector<std::string>& ended,
            StoreTransaction& transaction) {
  if (ended.empty()) return;
  for (const auto& each : ended) transaction.then.push_back(StoreOperation::erase(each));
  transaction.then.push_back(
      put_until("floor", std::max(state.floor_s(), state.used_until(ended.back()))));
  transaction.compares.push_back(StoreCompare::unchanged("floor", state.floor_modified()));
}

}  // namespace

std::string use_key(std::string_view domain, std::string_view token_id) {
  std::string whole(domain);
  whole += '\0';
  whole += token_id;
  return "used/" + sha256_hex(whole);
}

std::string token_name(std::string_view domain, std::string_view token_id) {
  return fmt::format("token {} {}", domain, token_id);
}

Result<StoreTransaction> plan_uses(const TrustState& state, const std::vector<Use>& uses,
                                   std::int64_t now_s) {
  StoreTransaction transaction;
  for (auto each = uses.begin(); each != uses.end(); ++each) {
    HECTOR_TRY(check_use(state, *each));
    if (std::any_of(uses.begin(), each, [&](const Use& other) { return other.key == each->key; }))
      return refuse_credential(kReplay, "the same token was given twice");
    transaction.compares.push_back(StoreCompare::absent(each->key));
    transaction.then.push_back(put_until(each->key, each->until_s));
  }
  const auto ended = state.ended(now_s - kKeptLongerSeconds, kForgottenAtOnce);
  if (state.used() + uses.size() > kUsedMax + ended.size())
    return refuse_room(
        fmt::format("{} ids of tokens are remembered, the limit; no other token is "
                    "accepted once until one of theirs has ended",
                    kUsedMax));
  forget(state, ended, transaction);
  return transaction;
}

}  // namespace hector::authentication
