"""Hermes on Hector: the same names, the same behaviour.

What: PostOffice, Publisher, Receiver, Node, Envelope, Message.
Why: a script that says `from hermes import …` runs after saying `from hector.hermes import …`.
Who: programs written for Hermes.

What is better: any JSON arrives and nothing kills a receiver; idle nodes sleep; what happens to
late envelopes is a choice (`late`), with the suicidal snail among them.
"""

from .publisher import Publisher
from .receiver import Receiver
from .structs import Envelope, Message
from .proxy import PostOffice
from .node import Node

__all__ = ["Envelope", "Message", "Node", "PostOffice", "Publisher", "Receiver"]
