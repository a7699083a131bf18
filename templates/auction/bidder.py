"""A bidder: bids while the price is within its limit, and pays from its account.

What: the auction's role `bidder`.
Why: each has its own limit.
Who: `hector create object auction.Bidder.python --name ada --arguments '{"limit": 900}'`.
"""

import hector
from auction import Bid, Bidder, Payment


@hector.template(name="auction.Bidder.python")
class Person(Bidder):
    def __init__(self, limit, capsule):
        self.limit, self.name = limit, capsule.object_name

    def bound(self, session):
        self.session = session

    def ask(self, asked):
        if asked.price <= self.limit:
            self.session.call(
                "sale_bid", 0, Bid(bidder=self.name, number=self.session.number, price=asked.price)
            )

    def sold(self, sold):
        pass

    def settle(self, invoice):
        return Payment(account=self.name, price=invoice.price)
