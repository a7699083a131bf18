// What: the bank: accounts, opened with the balance that its arguments say, and transfers between
// them. Why: the auction's role `bank`; a payment is made whole or not at all. Who: `hector create
// object auction.Bank.cpp --name bank --arguments '{"ada": 5000}'`.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <map>
#include <mutex>

#include "auction/messages.pb.h"
#include "hector/cpp.h"

namespace {

using namespace auction;
namespace cpp = hector::cpp;

class Bank {
 public:
  Bank(cpp::Capsule, const std::string& arguments) {
    google::protobuf::Struct accounts;
    if (!google::protobuf::util::JsonStringToMessage(arguments, &accounts).ok())
      throw std::invalid_argument("arguments are a JSON object of accounts and their balances");
    for (const auto& [name, balance] : accounts.fields()) {
      if (balance.number_value() < 0)
        throw std::invalid_argument("account '" + name + "' would be overdrawn");
      accounts_[name] = static_cast<std::uint64_t>(balance.number_value());
    }
  }

  hector::Result<Receipt> transfer(const Transfer& transfer, cpp::Call&) {
    const auto& payment = transfer.payment();
    const auto from = accounts_.find(payment.account());
    if (from == accounts_.end())
      return hector::fail(hector::Code::kNotFound, "no account '" + payment.account() + "'");
    if (from->second < payment.price()) {
      Poor poor;
      poor.set_missing(payment.price() - from->second);
      return hector::fail(cpp::declared_error(
          hector::Code::kFailedPrecondition,
          "account '" + payment.account() + "' lacks " + std::to_string(poor.missing()), poor));
    }
    from->second -= payment.price();
    accounts_[transfer.to()] += payment.price();
    Receipt receipt;
    receipt.set_number(++transfers_);
    receipt.set_balance(accounts_[transfer.to()]);
    return receipt;
  }
  hector::Result<Balance> balance(const Account& account, cpp::Call&) {
    const auto found = accounts_.find(account.name());
    if (found == accounts_.end())
      return hector::fail(hector::Code::kNotFound, "no account '" + account.name() + "'");
    Balance balance;
    balance.set_amount(found->second);
    return balance;
  }

 private:
  std::map<std::string, std::uint64_t> accounts_;
  std::uint64_t transfers_ = 0;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Bank>(
      "auction.Bank.cpp", "auction.Bank/1",
      {cpp::operation<&Bank::transfer>("transfer"), cpp::operation<&Bank::balance>("balance")},
      {.description = "Accounts and transfers"});
}
