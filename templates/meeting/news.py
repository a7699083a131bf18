"""The news board: keeps what is posted, newest first.

What: the meeting's role `news`.
Why: everybody can read what was arranged.
Who: `hector create object diary.News.python --name news`.
"""

import collections

import hector
from meeting import Items, News

ITEMS_MAX = 1000


@hector.template(name="diary.News.python")
class Board(News):
    def __init__(self):
        self.items = collections.deque(maxlen=ITEMS_MAX)

    def post(self, item):
        self.items.appendleft(item)

    def read(self, _):
        return Items(items=list(self.items))
