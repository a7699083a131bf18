// What: links to other traders, proxy offers, and the rules for following them (formal/00-06-27,
// sections on Link, Proxy and federated queries).
// Why: a query goes on where this trader's offers end, as far as importer, link and trader allow,
// and never twice to the same one.
// Who: the Trader.
#pragma once

#include "offers.h"

namespace hector::trading {

enum class Follow : std::uint8_t { kLocalOnly, kIfNoLocal, kAlways };
/// Empty is `otherwise`. INVALID_ARGUMENT (PolicyTypeMismatch).
Result<Follow> follow_of(const std::string& text, Follow otherwise);
const char* name_of(Follow follow);

/// What an importer's policies say beside cards.
struct ImporterPolicies {
  std::optional<Follow> rule;
  std::optional<std::uint32_t> hops;
  std::string request_id;
  std::vector<std::string> starting_trader;
  bool uses_dynamic = true;
  bool uses_proxies = true;
};
/// True: the policy was one of these, and is read. IllegalPolicyName is for the caller.
Result<bool> read_importer_policy(const std::string& name, const std::string& value,
                                  ImporterPolicies& asks);

/// A link to be followed, and the policies that go with the query.
struct Step {
  std::string link;
  std::string target;  ///< a "hector:" reference
  Follow rule;
  std::uint32_t hops = 0;
};
/// In the order of names; none where no hops are left. `has_local`: this trader's own offers match.
std::vector<Step> steps_of(const Offers& offers, const ImporterPolicies& asks, bool has_local);
/// The query as the next trader gets it.
v1::TradingQuery onward(const v1::TradingQuery& query, const Step& step,
                        const std::string& request_id);

/// "$*" and "$(name)" filled in. IllegalRecipe.
Result<std::string> follow_recipe(
    const std::string& recipe, const std::string& constraint,
    const google::protobuf::Map<std::string, std::string>& properties);

/// Transactions on links. IllegalLinkName, DuplicateLinkName, UnknownLinkName, InvalidLookupRef,
/// DefaultFollowTooPermissive, LimitingFollowTooPermissive.
Result<StoreTransaction> add_link(const Offers& offers, const v1::TradingLink& link);
Result<StoreTransaction> modify_link(const Offers& offers, const v1::TradingLink& link);
Result<StoreTransaction> remove_link(const Offers& offers, const std::string& name);
Result<v1::TradingLink> describe_link(const Offers& offers, const std::string& name);

/// A preference over offers of several traders, evaluated here; the order of `offers` is the order
/// of discovery.
void order_offers(std::vector<v1::TradingOffer>& offers, const expression::Preference& preference,
                  Random& random);

}  // namespace hector::trading
