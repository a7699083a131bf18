// What: the operations of Policy that change entries, bundles and chains, as plans of transactions.
// Why: a plan is made of the state and the request alone, so that it can be made again where
// another writer was faster, and tested without a store.
// Who: the Policy servant.
#include "changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "state/answer.h"
#include "state/signature.h"

namespace hector::policy {

using state::erasing;
using state::putting;
using state::refuse;

namespace {

constexpr std::size_t kValueOctetsMax = 64 * 1024;    ///< of one entry
constexpr std::size_t kBundleOctetsMax = 800 * 1024;  ///< a bundle is put in one transaction
/// A bundle is stored in parts, each well below what a store takes as one value.
constexpr std::size_t kBundlePartOctets = 200 * 1024;
static_assert(kBundlePartOctets < StoreLimits{}.value_octets_max, "a part is one value");
static_assert(kBundleOctetsMax < StoreLimits{}.transaction_octets_max,
              "a bundle is put in one transaction");
static_assert(kValueOctetsMax < StoreLimits{}.value_octets_max, "an entry is one value");

std::string entry_key(const std::string& context, const std::string& spec) {
  return fmt::format("e/{} {}", context, spec);
}

StoreTransaction bundle_transaction(const Contexts& contexts, const v1::PolicyBundle& bundle) {
  StoreTransaction transaction;
  std::size_t part = 0;
  for (std::size_t at = 0; at < bundle.text().size(); at += kBundlePartOctets, ++part) {
    transaction.then.push_back(StoreOperation::put(
        fmt::format("b/{} {}", bundle.context(), part),
        Bytes::copy(std::string_view(bundle.text()).substr(at, kBundlePartOctets))));
  }
  for (; part < contexts.bundle_parts(bundle.context()); ++part)
    transaction.then.push_back(
        StoreOperation::erase(fmt::format("b/{} {}", bundle.context(), part)));
  return transaction;
}

Status check_signature(const std::vector<std::string>& keys, const v1::PolicyBundle& bundle) {
  const bool is_signed = std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
    return state::is_signed_by(key, bundle.text(), bundle.signature());
  });
  if (is_signed) return {};
  return refuse("BAD_SIGNATURE",
                keys.empty()
                    ? "this capsule trusts no key (its setting `keys`); what was there stays"
                    : "none of the trusted keys signed this text; what was there stays",
                Code::kPermissionDenied);
}

}  // namespace

Result<StoreTransaction> plan_put(const v1::PolicyEntry& entry) {
  HECTOR_TRY(check_context(entry.context()));
  const auto spec = HECTOR_TRY(Database::canonical(entry.spec()));
  if (entry.value().size() > kValueOctetsMax) return refuse("BAD_SPEC", "a value may have 64 KiB");
  v1::PolicyEntry kept = entry;
  kept.set_spec(spec);
  kept.set_line(0);
  return putting(entry_key(entry.context(), spec), kept);
}

Result<StoreTransaction> plan_remove(const Contexts& contexts, const v1::PolicySpec& asked) {
  HECTOR_TRY(check_context(asked.context()));
  const auto spec = HECTOR_TRY(Database::canonical(asked.spec()));
  if (contexts.has(asked.context(), spec)) return erasing(entry_key(asked.context(), spec));
  return refuse("NO_MATCH",
                fmt::format("{} has no entry '{}' (those of its bundle go with the bundle)",
                            asked.context(), spec),
                Code::kNotFound);
}

Result<StoreTransaction> plan_chain(const Contexts& contexts, const Place& place,
                                    const v1::PolicyChain& chain) {
  HECTOR_TRY(check_context(chain.context()));
  for (const auto& each : chain.contexts()) HECTOR_TRY(check_context(each));
  if (contexts.makes_cycle(chain.context(), {chain.contexts().begin(), chain.contexts().end()},
                           place))
    return refuse("CYCLE", fmt::format("'{}' would come after itself", chain.context()),
                  Code::kFailedPrecondition);
  return putting("c/" + chain.context(), chain);
}

Result<StoreTransaction> plan_bundle(const Contexts& contexts, const BundleTrust& trust,
                                     const v1::PolicyBundle& bundle) {
  HECTOR_TRY(check_context(bundle.context()));
  if (bundle.text().size() > kBundleOctetsMax)
    return refuse("BAD_BUNDLE", "a bundle may have 800 KiB");
  HECTOR_TRY(check_signature(trust.keys, bundle));
  const auto head = HECTOR_TRY(read_bundle_head(bundle.text()));
  if (head.expires_s != 0 && head.expires_s <= trust.now_s)
    return refuse("EXPIRED", "the bundle is no longer valid", Code::kFailedPrecondition);
  const auto known = contexts.bundle_version(bundle.context());
  if (head.version <= known)
    return refuse("ROLLBACK",
                  fmt::format("version {} is there, {} is not newer", known, head.version),
                  Code::kFailedPrecondition);
  HECTOR_TRY(read_resources(bundle.text(), {Dialect::kHector, bundle.context()},
                            [](const Entry&) { return Status{}; }));
  return bundle_transaction(contexts, bundle);
}

}  // namespace hector::policy
