"""Hermes' default addresses.

What: publishers connect to the first, receivers to the second.
Why: scripts of Hermes import them by these names.
Who: programs written for Hermes.
"""

XSUB_ADDR = "tcp://127.0.0.1:6000"
XPUB_ADDR = "tcp://127.0.0.1:6001"
DEBUG_ADDR = "tcp://127.0.0.1:6002"
