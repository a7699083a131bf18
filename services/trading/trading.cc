// What: the embedded provider of Trading: offers by type in memory.
// Why: roles are filled by what Objects offer. Subtypes, policies, links and durability come with the store.
// Who: loaded by capsules whose configuration says `trading: embedded`.
#include <algorithm>
#include <map>
#include <mutex>

#include "expression.h"
#include "hector/plugin.h"
#include "hector/service/v1/trading.pb.h"
#include "hector/typed.h"

namespace {

using namespace hector;
using namespace hector::service::v1;
using hector::trading::Constraint;
using hector::trading::Preference;
using hector::trading::Properties;

constexpr std::size_t kOffersMax = 1'000'000;

class Trader final : public Service {
 public:
  explicit Trader(const ServiceContext& context)
      : servant_({[this](Call& call) { export_offer(call); }, [this](Call& call) { withdraw(call); }, [this](Call& call) { query(call); }}), random_(*context.random) {}
  std::string interface_id() const override { return "hector.Trading/1"; }
  Servant& servant() override { return servant_; }

 private:
  struct Entry {
    TradingOffer offer;
    Properties properties;
  };

  void export_offer(Call& call) {
    answer<TradingOffer>(call, [&](const TradingOffer& offer) -> Result<TradingOfferId> {
      if (offer.type().empty()) return fail(Code::kInvalidArgument, "IllegalServiceType: an offer needs a type");
      if (offer.reference().profiles().empty() && offer.reference().offer() == 0) return fail(Code::kInvalidArgument, "InvalidObjectRef: the reference leads nowhere");
      Entry entry{offer, {}};
      for (const auto& [name, value] : offer.properties()) entry.properties[name] = trading::value_of_json(value);
      const std::lock_guard lock(mutex_);
      if (by_id_.size() >= kOffersMax) return fail(Code::kResourceExhausted, "the Trader holds 1,000,000 offers, its limit");
      const std::uint64_t number = ++last_;
      const std::string id = offer.type() + "#" + std::to_string(number);
      entry.offer.set_id(id);
      by_id_[id] = {offer.type(), number};
      by_type_[offer.type()].emplace(number, std::move(entry));
      TradingOfferId reply;
      reply.set_id(id);
      return reply;
    });
  }

  void withdraw(Call& call) {
    answer<TradingOfferId>(call, [&](const TradingOfferId& request) -> Result<TradingOfferId> {
      const std::lock_guard lock(mutex_);
      const auto found = by_id_.find(request.id());
      if (found == by_id_.end()) return fail(Code::kNotFound, "UnknownOfferId: '" + request.id() + "'");
      by_type_[found->second.first].erase(found->second.second);
      by_id_.erase(found);
      return request;
    });
  }

  void query(Call& call) {
    answer<TradingQuery>(call, [&](const TradingQuery& request) -> Result<TradingOffers> {
      auto constraint = Constraint::parse(request.constraint());
      if (!constraint) return fail(constraint.error());
      auto preference = Preference::parse(request.preference());
      if (!preference) return fail(preference.error());
      std::vector<std::pair<std::optional<double>, const Entry*>> found;
      const std::lock_guard lock(mutex_);
      const auto offers = by_type_.find(request.type());
      if (offers != by_type_.end()) {
        for (const auto& [number, entry] : offers->second) {
          if (constraint->matches(entry.properties)) found.emplace_back(preference->rank(entry.properties), &entry);
        }
      }
      order(*preference, found);
      TradingOffers reply;
      for (const auto& [rank, entry] : found) {
        if (request.how_many() != 0 && static_cast<std::uint32_t>(reply.offers_size()) >= request.how_many()) break;
        *reply.add_offers() = entry->offer;
      }
      return reply;
    });
  }

  /// Best first; offers that cannot be ranked come last; equal ones stay in the order of their export.
  void order(const Preference& preference, std::vector<std::pair<std::optional<double>, const Entry*>>& found) {
    if (preference.kind() == Preference::Kind::kRandom) {
      for (std::size_t i = found.size(); i > 1; --i) std::swap(found[i - 1], found[random_.next() % i]);
    } else if (preference.kind() != Preference::Kind::kFirst) {
      const bool ascending = preference.kind() == Preference::Kind::kMin;
      std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
        if (a.first.has_value() != b.first.has_value()) return a.first.has_value();
        if (!a.first) return false;
        return ascending ? *a.first < *b.first : *a.first > *b.first;
      });
    }
  }

  TableServant servant_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::string, std::map<std::uint64_t, Entry>> by_type_;
  std::map<std::string, std::pair<std::string, std::uint64_t>> by_id_;
  std::uint64_t last_ = 0;
};

Service* make(const ServiceContext& context) { return new Trader(context); }

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {sizeof(hector_plugin), HECTOR_ABI_VERSION, "trading", nullptr, nullptr, make};
