// What: OfferPages, answers to queries that are given a page at a time.
// Why: an importer asks for a few offers and may want the next ones, or never come back.
// Who: the Trading servant's query and next_offers.
#pragma once

#include "lookup.h"
#include "search.h"
#include "state/iterators.h"

namespace hector::trading {

/// Any thread.
class OfferPages {
 public:
  static constexpr state::IteratorLimits kLimits{.max = 1'000, .lives = std::chrono::minutes(1)};
  OfferPages(const Clock& clock, Random& random, const Lookup& lookup,
             const state::Replica& replica)
      : random_(random), lookup_(lookup), replica_(replica), iterators_(clock, kLimits) {}

  /// The first page from this Trader's own offers; without an iterator when there are too many.
  Result<v1::TradingOffers> first(const v1::TradingQuery& query);
  /// The first page of what a search with others found.
  v1::TradingOffers first(Search& search);
  /// NOT_FOUND (UnknownIterator).
  Result<v1::TradingOffers> next(const v1::TradingNext& asked);
  /// One page of this Trader's own offers, under the revision that it was made from.
  Result<v1::TradingOffers> own(const v1::TradingQuery& query, Page page) const;

 private:
  struct Rest {
    v1::TradingQuery query;
    std::size_t given = 0;
    /// Of a search with others: all that it found. Shared by the iterator and the page being made.
    std::shared_ptr<const std::vector<v1::TradingOffer>> found;
  };
  void keep(Rest rest, v1::TradingOffers& reply);
  v1::TradingOffers next_found(const v1::TradingNext& asked, Rest rest);

  Random& random_;
  const Lookup& lookup_;
  const state::Replica& replica_;
  state::Iterators<std::uint64_t, Rest> iterators_;
};

}  // namespace hector::trading
