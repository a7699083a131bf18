"""PostOffice: publishers connect to one side of it, receivers to the other.

What: PostOffice, an embedded capsule with both sides as Endpoints.
Why: Hermes has one for each network.
Who: programs written for Hermes.
"""

from . import _network


class PostOffice:
    def __init__(self, proxy_in, proxy_out, debug_addr=None):
        self.xsub_url, self.xpub_url, self._debug_addr, self._key = (
            proxy_in,
            proxy_out,
            debug_addr,
            None,
        )
        self.daemon = True

    @property
    def debug_addr(self):
        return self._debug_addr

    @property
    def running(self):
        return self._key is not None

    def is_alive(self):
        return self.running

    def start(self):
        """RuntimeError: an address is in use."""
        try:
            self._key, _ = _network.opened(
                "postoffice:"
                + ",".join(
                    each for each in (self.xsub_url, self.xpub_url, self._debug_addr) if each
                )
            )
        except _network.embedded.CapsuleError as error:
            raise RuntimeError(error.args[1]) from None

    def stop(self, timeout=None):
        if self._key is not None:
            _network.closed(self._key)
            self._key = None

    def join(self, timeout=None):
        self.stop(timeout)
