// What: OfferPages, answers to queries that are given a page at a time.
// Why: an importer asks for a few offers and may want the next ones, or never come back.
// Who: the Trading servant's query and next_offers.
#include "offer_pages.h"

#include <algorithm>

#include "hector/check.h"
#include "state/answer.h"

namespace hector::trading {

namespace {

void add_limits(Search& search, v1::TradingOffers& reply) {
  std::sort(search.limits.begin(), search.limits.end());
  search.limits.erase(std::unique(search.limits.begin(), search.limits.end()), search.limits.end());
  for (auto& limit : search.limits) reply.add_limits_applied(std::move(limit));
  for (auto& failed : search.failed) reply.add_failed_links(std::move(failed));
}

}  // namespace

Result<v1::TradingOffers> OfferPages::own(const v1::TradingQuery& query, Page page) const {
  const Revision revision = replica_.revision();
  const auto lock = replica_.read();
  auto reply = lookup_.query(query, page);
  if (reply) reply->set_revision(revision);
  return reply;
}

void OfferPages::keep(Rest rest, v1::TradingOffers& reply) {
  const std::uint64_t id = random_.next() | 1;  // 0 is none
  if (iterators_.add(id, std::move(rest))) reply.set_iterator(id);
}

Result<v1::TradingOffers> OfferPages::first(const v1::TradingQuery& query) {
  auto reply = HECTOR_TRY(own(query, {query.how_many(), 0}));
  if (reply.left() != 0)
    keep({query, static_cast<std::size_t>(reply.offers_size()), nullptr}, reply);
  return reply;
}

v1::TradingOffers OfferPages::first(Search& search) {
  v1::TradingOffers reply;
  const std::size_t all = search.offers.size();
  const std::size_t first =
      search.query.how_many() == 0 ? all : std::min<std::size_t>(all, search.query.how_many());
  for (auto& offer : search.offers) trim(search.query, offer);
  for (std::size_t i = 0; i < first; ++i) *reply.add_offers() = search.offers[i];
  add_limits(search, reply);
  reply.set_revision(replica_.revision());
  if (first == all) return reply;
  keep({search.query, first,
        std::make_shared<const std::vector<v1::TradingOffer>>(std::move(search.offers))},
       reply);
  if (reply.iterator() != 0) reply.set_left(1);
  return reply;
}

v1::TradingOffers OfferPages::next_found(const v1::TradingNext& asked, Rest rest) {
  HECTOR_CHECK(rest.given <= rest.found->size(), "more offers were given than found");
  v1::TradingOffers reply;
  const std::size_t last = std::min<std::size_t>(rest.found->size(), rest.given + asked.how_many());
  for (std::size_t i = rest.given; i < last; ++i) *reply.add_offers() = (*rest.found)[i];
  if (last == rest.found->size()) {
    iterators_.erase(asked.iterator());
    return reply;
  }
  rest.given = last;
  iterators_.update(asked.iterator(), std::move(rest));
  reply.set_iterator(asked.iterator());
  reply.set_left(1);
  return reply;
}

Result<v1::TradingOffers> OfferPages::next(const v1::TradingNext& asked) {
  auto rest = iterators_.find(asked.iterator());
  if (!rest)
    return state::refuse("UnknownIterator",
                         "it has come to its end, or was not asked for a minute: query again",
                         Code::kNotFound);
  if (asked.how_many() == 0) {
    iterators_.erase(asked.iterator());
    return v1::TradingOffers();
  }
  if (rest->found) return next_found(asked, std::move(*rest));
  auto reply = HECTOR_TRY(own(rest->query, {asked.how_many(), rest->given}));
  if (reply.left() == 0) {
    iterators_.erase(asked.iterator());
    return reply;
  }
  rest->given += static_cast<std::size_t>(reply.offers_size());
  iterators_.update(asked.iterator(), std::move(*rest));
  reply.set_iterator(asked.iterator());
  return reply;
}

}  // namespace hector::trading
