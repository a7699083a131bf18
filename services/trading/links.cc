#include "links.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "hector/reference.h"
#include "state/answer.h"

namespace hector::trading {

using state::refuse;

namespace {

constexpr std::size_t kLinksMax = 1'000;             ///< each may be followed by every query
constexpr std::uint32_t kHops = 5, kHopsMax = 32;    // the standard leaves them to the trader
constexpr std::size_t kRecipeOctetsMax = 64 * 1024;  ///< of a proxy offer
constexpr const char* kNames[] = {"local_only", "if_no_local", "always"};
static_assert(std::size(kNames) == static_cast<std::size_t>(Follow::kAlways) + 1);

Follow known(const std::string& text, Follow otherwise) {
  return follow_of(text, otherwise).value_or(otherwise);
}

Status check_link(const Offers& offers, const v1::TradingLink& link) {
  if (link.name().empty() || link.name().size() > 200 || link.name().find('/') != std::string::npos)
    return refuse("IllegalLinkName", fmt::format("'{}' is no name of a link", link.name()));
  auto pass_on = follow_of(link.def_pass_on_follow_rule(), Follow::kIfNoLocal);
  auto limiting = follow_of(link.limiting_follow_rule(), Follow::kAlways);
  if (!pass_on) return fail(pass_on.error());
  if (!limiting) return fail(limiting.error());
  if (link.target().profiles().empty())
    return refuse("InvalidLookupRef", "the target's reference leads nowhere");
  if (*pass_on > *limiting)
    return refuse("DefaultFollowTooPermissive", fmt::format("{} is more than the link's limit, {}",
                                                            name_of(*pass_on), name_of(*limiting)));
  const Follow most = known(offers.attributes().max_link_follow_policy(), Follow::kAlways);
  if (*limiting > most)
    return refuse("LimitingFollowTooPermissive",
                  fmt::format("{} is more than this trader's max_link_follow_policy, {}",
                              name_of(*limiting), name_of(most)));
  return {};
}
StoreTransaction kept(const v1::TradingLink& link) {
  StoreTransaction transaction;
  transaction.then.push_back(
      StoreOperation::put("l/" + link.name(), Bytes::take(link.SerializeAsString())));
  return transaction;
}
tl::unexpected<Error> unknown(const std::string& name) {
  return refuse("UnknownLinkName", fmt::format("there is no link '{}'", name), Code::kNotFound);
}

Result<bool> flag(const std::string& name, const std::string& value) {
  if (value == "true" || value == "TRUE") return true;
  if (value == "false" || value == "FALSE") return false;
  return refuse("PolicyTypeMismatch",
                fmt::format("policy '{}' is true or false, not '{}'", name, value));
}

}  // namespace

const char* name_of(Follow follow) { return kNames[static_cast<int>(follow)]; }

Result<Follow> follow_of(const std::string& text, Follow otherwise) {
  if (text.empty()) return otherwise;
  for (const auto each : {Follow::kLocalOnly, Follow::kIfNoLocal, Follow::kAlways}) {
    if (text == name_of(each)) return each;
  }
  return refuse("PolicyTypeMismatch",
                fmt::format("'{}' is none of local_only, if_no_local, always", text));
}

Result<bool> read_importer_policy(const std::string& name, const std::string& value,
                                  ImporterPolicies& asks) {
  if (name == "link_follow_rule") {
    auto rule = HECTOR_TRY(follow_of(value, Follow::kIfNoLocal));
    asks.rule = rule;
  } else if (name == "hop_count") {
    std::uint32_t hops = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), hops);
    if (read.ec != std::errc() || read.ptr != value.data() + value.size())
      return refuse("PolicyTypeMismatch",
                    fmt::format("policy 'hop_count' is a number, not '{}'", value));
    asks.hops = hops;
  } else if (name == "request_id") {
    if (value.size() > 200)
      return refuse("InvalidPolicyValue", "a request_id has up to 200 octets");
    asks.request_id = value;
  } else if (name == "starting_trader") {
    for (std::size_t at = 0; at <= value.size() && !value.empty();) {
      const auto slash = std::min(value.find('/', at), value.size());
      asks.starting_trader.push_back(value.substr(at, slash - at));
      at = slash + 1;
    }
  } else if (name == "use_dynamic_properties" || name == "use_proxy_offers" ||
             name == "use_modifiable_properties") {
    auto is_on = HECTOR_TRY(flag(name, value));
    if (name == "use_dynamic_properties") asks.uses_dynamic = is_on;
    if (name == "use_proxy_offers") asks.uses_proxies = is_on;
  } else {
    return false;
  }
  return true;
}

std::vector<Step> steps_of(const Offers& offers, const ImporterPolicies& asks, bool has_local) {
  const auto& own = offers.attributes();
  std::vector<Step> steps;
  const std::uint32_t most = own.max_hop_count() == 0 ? kHopsMax : own.max_hop_count();
  const std::uint32_t hops =
      std::min(asks.hops.value_or(own.def_hop_count() == 0 ? kHops : own.def_hop_count()), most);
  if (hops == 0) return steps;
  const Follow max_follow = known(own.max_follow_policy(), Follow::kAlways);
  const Follow here =
      std::min(asks.rule.value_or(known(own.def_follow_policy(), Follow::kIfNoLocal)), max_follow);
  for (const auto& [name, link] : offers.links()) {
    const Follow limit = known(link.limiting_follow_rule(), Follow::kAlways);
    const Follow rule = std::min(here, limit);
    if (rule == Follow::kLocalOnly || (rule == Follow::kIfNoLocal && has_local)) continue;
    const Follow passed =
        asks.rule ? std::min({*asks.rule, limit, max_follow})
                  : std::min(known(link.def_pass_on_follow_rule(), Follow::kIfNoLocal), max_follow);
    auto target = Reference::parse(link.target().SerializeAsString());
    if (target) steps.push_back({name, target->text(), passed, hops - 1});
  }
  return steps;
}

v1::TradingQuery onward(const v1::TradingQuery& query, const Step& step,
                        const std::string& request_id) {
  v1::TradingQuery next = query;
  auto& policies = *next.mutable_policies();
  policies["link_follow_rule"] = name_of(step.rule);
  policies["hop_count"] = std::to_string(step.hops);
  policies["request_id"] = request_id;
  policies.erase("starting_trader");
  // The preference is evaluated once more where the query came from.
  next.clear_desired();
  next.set_no_properties(false);
  next.set_how_many(0);
  return next;
}

Result<std::string> follow_recipe(
    const std::string& recipe, const std::string& constraint,
    const google::protobuf::Map<std::string, std::string>& properties) {
  if (recipe.size() > kRecipeOctetsMax)
    return refuse("IllegalRecipe", fmt::format("a recipe may have {} octets", kRecipeOctetsMax));
  std::string text;
  for (std::size_t i = 0; i < recipe.size(); ++i) {
    if (recipe[i] != '$') {
      text += recipe[i];
      continue;
    }
    if (i + 1 < recipe.size() && recipe[i + 1] == '*') {
      text += constraint.empty() ? "TRUE" : "(" + constraint + ")";
      ++i;
      continue;
    }
    const auto close = recipe.find(')', i);
    if (i + 1 >= recipe.size() || recipe[i + 1] != '(' || close == std::string::npos)
      return refuse("IllegalRecipe",
                    fmt::format("column {}: '$' stands before '*' or '(property)'", i + 1));
    const std::string name = recipe.substr(i + 2, close - i - 2);
    const auto found = properties.find(name);
    if (found == properties.end())
      return refuse("IllegalRecipe",
                    fmt::format("column {}: the proxy offer has no property '{}'", i + 1, name));
    std::string value = found->second;
    if (value.size() >= 2 &&
        value.front() == '"') {  // a JSON string as the constraint language writes one
      std::string quoted = "'";
      for (std::size_t k = 1; k + 1 < value.size(); ++k)
        quoted += value[k] == '\'' ? std::string("\\'") : std::string(1, value[k]);
      value = quoted + "'";
    } else if (value == "true" || value == "false") {
      value = value == "true" ? "TRUE" : "FALSE";
    }
    text += value;
    i = close;
  }
  return text;
}

Result<StoreTransaction> add_link(const Offers& offers, const v1::TradingLink& link) {
  HECTOR_TRY(check_link(offers, link));
  if (offers.links().contains(link.name()))
    return refuse("DuplicateLinkName", fmt::format("there is a link '{}'", link.name()),
                  Code::kAlreadyExists);
  if (offers.links().size() >= kLinksMax)
    return refuse("RESOURCE_EXHAUSTED", fmt::format("a trader may have {} links", kLinksMax),
                  Code::kResourceExhausted);
  StoreTransaction transaction = kept(link);
  transaction.compares.push_back(StoreCompare::absent("l/" + link.name()));
  return transaction;
}
Result<StoreTransaction> modify_link(const Offers& offers, const v1::TradingLink& link) {
  const auto found = offers.links().find(link.name());
  if (found == offers.links().end()) return unknown(link.name());
  v1::TradingLink changed = found->second;
  if (!link.def_pass_on_follow_rule().empty())
    changed.set_def_pass_on_follow_rule(link.def_pass_on_follow_rule());
  if (!link.limiting_follow_rule().empty())
    changed.set_limiting_follow_rule(link.limiting_follow_rule());
  HECTOR_TRY(check_link(offers, changed));
  return kept(changed);
}
Result<StoreTransaction> remove_link(const Offers& offers, const std::string& name) {
  if (!offers.links().contains(name)) return unknown(name);
  StoreTransaction transaction;
  transaction.then.push_back(StoreOperation::erase("l/" + name));
  return transaction;
}
Result<v1::TradingLink> describe_link(const Offers& offers, const std::string& name) {
  const auto found = offers.links().find(name);
  if (found == offers.links().end()) return unknown(name);
  return found->second;
}

void order_offers(std::vector<v1::TradingOffer>& offers, const expression::Preference& preference,
                  Random& random) {
  using Kind = expression::Preference::Kind;
  if (preference.kind == Kind::kFirst) return;
  if (preference.kind == Kind::kRandom) {
    for (std::size_t i = offers.size(); i > 1; --i)
      std::swap(offers[i - 1], offers[random.next() % i]);
    return;
  }
  const auto& names = preference.program.tree().names;
  std::vector<std::pair<double, std::size_t>>
      ranks;  // lower is better; what cannot be evaluated is last
  for (std::size_t i = 0; i < offers.size(); ++i) {
    Names scratch;
    auto properties = Properties::of(offers[i].properties(), scratch);
    std::vector<Value> slots(names.size());
    for (std::size_t k = 0; properties && k < names.size(); ++k)
      slots[k] = properties->get(scratch.find(names[k]));
    const Value value = preference.program.run(slots);
    double rank = std::numeric_limits<double>::infinity();
    if (preference.kind == Kind::kWith) {
      if (value.kind == expression::Kind::kBoolean) rank = value.boolean ? 0 : 1;
    } else if (value.is_number() || value.kind == expression::Kind::kBoolean) {
      const double number = value.is_number() ? value.number() : static_cast<double>(value.boolean);
      rank = preference.kind == Kind::kMax ? -number : number;
    }
    ranks.emplace_back(rank, i);
  }
  std::stable_sort(ranks.begin(), ranks.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<v1::TradingOffer> ordered;
  ordered.reserve(offers.size());
  for (const auto& [rank, i] : ranks) ordered.push_back(std::move(offers[i]));
  offers = std::move(ordered);
}

}  // namespace hector::trading
