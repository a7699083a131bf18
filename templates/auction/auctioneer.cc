// What: the auctioneer: names a price, waits for bids, raises it until nobody bids, sells to the
// last who did, and has the bank transfer the price. Why: the auction's role `auctioneer`. Who:
// `hector call auctioneer.sell`.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "auction/messages.pb.h"
#include "hector/cpp.h"

namespace {

using namespace auction;
namespace cpp = hector::cpp;

/// Entered by several threads: bids come while sell() waits for them.
class Auctioneer {
 public:
  Auctioneer(cpp::Capsule capsule, const std::string&) : account_(capsule.object_name()) {}
  void bound(cpp::Session session) {
    const std::lock_guard lock(mutex_);
    session_.emplace(std::move(session));
  }
  void unbound(cpp::Session) {
    const std::lock_guard lock(mutex_);
    session_.reset();
  }

  hector::Status bid(const Bid& bid, cpp::Call&) {
    const std::lock_guard lock(mutex_);
    ++bids_;
    if (!best_ || bid.price() > best_->price()) best_ = bid;  // among equal ones the first
    changed_.notify_all();
    return {};
  }

  hector::Result<Result> sell(const Lot& lot, cpp::Call&) {
    const std::lock_guard one_lot(selling_);
    std::optional<cpp::Session> session;
    {
      const std::lock_guard lock(mutex_);
      session = session_;
      best_.reset();
    }
    if (!session)
      return hector::fail(hector::Code::kFailedPrecondition,
                          "the auctioneer is in no Binding; instantiate auction.Auction/1 first");
    if (lot.step() == 0 || lot.round_ms() == 0)
      return hector::fail(hector::Code::kInvalidArgument,
                          "a lot needs a step and round_ms above 0");
    Sold sold;
    sold.set_title(lot.title());
    for (std::uint64_t price = lot.start_price();; price += lot.step()) {
      auto winner = round(*session, lot, price);
      if (!winner) return hector::fail(winner.error());
      sold.set_rounds(sold.rounds() + 1);
      if (!*winner) break;
      last_ = **winner;
      sold.set_winner(last_.bidder());
      sold.set_price(price);
    }
    const auto told = session->multicast<Nothing>("sale_sold", sold);
    if (!told.status) return hector::fail(told.status.error());
    Result result;
    *result.mutable_sold() = sold;
    if (sold.winner().empty()) return result;
    return settle(*session, std::move(result));
  }

 private:
  /// The first bid of the best ones; none: nobody bid.
  hector::Result<std::optional<Bid>> round(cpp::Session& session, const Lot& lot,
                                           std::uint64_t price) {
    {
      const std::lock_guard lock(mutex_);
      bids_ = 0;
      best_.reset();
    }
    Asked asked;
    asked.set_title(lot.title());
    asked.set_price(price);
    const std::size_t bidders = session.members("bidder").size();
    const auto told = session.multicast<Nothing>("sale_ask", asked);
    if (!told.status) return hector::fail(told.status.error());
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(lot.round_ms()),
                      [&] { return bids_ >= bidders; });
    return best_;
  }

  hector::Result<Result> settle(cpp::Session& session, Result result) {
    Invoice invoice;
    invoice.set_title(result.sold().title());
    invoice.set_price(result.sold().price());
    auto payment = session.call<Payment>("sale_settle", last_.number(), invoice);
    if (!payment) return hector::fail(payment.error());
    Transfer transfer;
    *transfer.mutable_payment() = *payment;
    transfer.set_to(account_);
    auto receipt = session.call<Receipt>("pay", 0, transfer);
    if (!receipt) return hector::fail(receipt.error());
    *result.mutable_receipt() = *receipt;
    return result;
  }

  const std::string account_;
  std::mutex selling_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  std::optional<cpp::Session> session_;
  std::optional<Bid> best_;
  std::size_t bids_ = 0;
  Bid last_;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Auctioneer>(
      "auction.Auctioneer.cpp", "auction.Auctioneer/1",
      {cpp::operation<&Auctioneer::sell>("sell"), cpp::operation<&Auctioneer::bid>("bid")},
      {.description = "Sells lots", .parallel = true});
}
