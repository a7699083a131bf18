"""PostOffice: publishers connect to one side of it, receivers to the other.

What: PostOffice, a thread over an embedded capsule with both sides as Endpoints.
Why: Hermes has one for each network.
Who: programs written for Hermes.
"""

import logging
import threading

from . import _network

log = logging.getLogger(__name__)


class PostOffice(threading.Thread):
    def __init__(self, proxy_in, proxy_out, debug_addr=None):
        super().__init__(daemon=True)
        self.xsub_url, self.xpub_url, self._debug_addr = proxy_in, proxy_out, debug_addr
        self._key, self._stopped = None, threading.Event()

    @property
    def debug_addr(self):
        return self._debug_addr

    @property
    def running(self):
        return self._key is not None

    def start(self):
        """RuntimeError: an address is in use, or it was started before."""
        if self._key is None and self.ident is None:
            try:
                self._key, _ = _network.opened(
                    "postoffice:"
                    + ",".join(
                        each for each in (self.xsub_url, self.xpub_url, self._debug_addr) if each
                    )
                )
            except _network.embedded.CapsuleError as error:
                raise RuntimeError(error.args[1]) from None
        super().start()

    def run(self):
        """The capsule relays; this thread waits for stop()."""
        self._stopped.wait()

    def stop(self, timeout=None):
        self._stopped.set()
        if self.ident is not None and self is not threading.current_thread():
            self.join(timeout)
        key, self._key = self._key, None
        if key is not None:
            _network.closed(key)
