// What: Offers, the Trader's state: service types, offers, and a column for each property of each
// type.
// Why: a query touches what it returns, at a million offers.
// Who: the Trader, its bench and tests.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "column.h"
#include "expression/omg.h"
#include "properties.h"
#include "state/replica.h"

namespace hector::trading {

struct Type;

struct Offer {
  std::uint64_t number = 0;  ///< in the order of export
  Type* type = nullptr;
  Properties properties;
  Bytes model;  ///< a serialised TradingOffer: the store's own octets
};

struct Type {
  v1::TradingType model;  ///< undeclared ones have a name only
  bool is_declared = false;
  std::map<std::uint64_t, std::unique_ptr<Offer>> offers;
  std::map<std::uint64_t, std::unique_ptr<Offer>> proxies;  ///< proxy offers; in no column
  std::set<std::uint64_t> dynamic;                          ///< offers with dynamic properties
  std::unordered_map<NameId, Column<Offer>>
      columns;  ///< one entry an offer; of a list its first item
  std::unordered_map<NameId, Column<Offer>> items;  ///< each item of the lists, once an offer
};

/// What a program asks of each offer. Names are looked up once.
class Slots {
 public:
  Slots(const expression::Program& program, const Names& names);
  /// Valid until the next one's.
  const std::vector<Value>& of(const Offer& offer);

 private:
  std::vector<NameId> ids_;
  std::vector<Value> values_;
};
/// Where it stands in the preference's order; undefined: behind all that have a rank.
Value rank_of(const expression::Preference& preference, const Offer& offer, Slots& slots);

/// The numbers that cut a query; `result` is not among limits_applied: ask for one more to see
/// whether it cut.
struct Cards {
  std::uint32_t search = UINT32_MAX, match = UINT32_MAX, result = UINT32_MAX;
};

struct Answer {
  std::vector<const Offer*> offers;  ///< best first
  std::vector<std::string> limits_applied;
  std::string plan;
  std::size_t looked_at = 0;
};

/// Reads hold Replica::read(), or nothing else changes it. Keys of the store: "o/<type>#<number>",
/// "t/<type>", "l/<link>", "a" (the attributes).
class Offers final : public state::Machine {
 public:
  void clear() override;
  void apply(const StoreEvent& event) override;
  void published(Revision revision) override {
    if (on_change) on_change(revision);
  }
  std::function<void(Revision)> on_change;

  [[nodiscard]] const Offer* find(const std::string& id) const;
  [[nodiscard]] const Type* type(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> types_since(std::int64_t incarnation) const;
  [[nodiscard]] std::vector<const Type*> subtypes(const std::string& name) const;
  /// The type's own properties and its supertypes', the own ones first.
  [[nodiscard]] std::vector<v1::TradingPropertyType> all_properties(
      const v1::TradingType& type) const;
  [[nodiscard]] bool is_subtype(const std::string& name, const std::string& of) const;
  /// The types whose offers a query for `name` looks at.
  [[nodiscard]] std::vector<const Type*> scope(const std::string& name, bool is_exact) const;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }
  [[nodiscard]] const v1::TradingAttributes& attributes() const noexcept { return attributes_; }
  [[nodiscard]] const std::map<std::string, v1::TradingLink>& links() const noexcept {
    return links_;
  }
  [[nodiscard]] const Names& names() const noexcept { return names_; }
  [[nodiscard]] std::vector<std::string> ids(std::size_t from, std::size_t count) const;
  [[nodiscard]] std::vector<std::string> proxies() const;

  /// Offers that match, at most cards.result of them. `random` is for the preference of that name.
  [[nodiscard]] Answer query(const std::vector<const Type*>& types,
                             const expression::Program& constraint,
                             const expression::Preference& preference, const Cards& cards,
                             Random& random) const;

 private:
  struct Run;
  struct Evaluation;
  static void place(Type& type, Offer& offer, bool is_there);
  void put_offer(const std::string& id, const StoreEntry& entry);
  void erase_offer(const std::string& id);
  std::optional<Run> run_of(const Type& type, const expression::Tree& tree,
                            expression::NodeId id) const;
  bool narrow(const Type& type, const expression::Program& constraint, std::optional<Run>& best,
              double& share) const;
  void search_in_order(const std::vector<const Type*>& types, Evaluation& evaluation) const;
  void search_by_value(Evaluation& evaluation, bool is_descending,
                       const Column<Offer>& column) const;

  Names names_;
  std::map<std::string, Type, std::less<>> types_;
  std::size_t size_ = 0;  ///< offers and proxies; an id says where its offer is
  v1::TradingAttributes attributes_;
  std::map<std::string, v1::TradingLink> links_;
  std::uint64_t highest_ = 0;
};

}  // namespace hector::trading
