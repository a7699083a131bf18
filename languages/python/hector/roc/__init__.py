"""ROC on Hector: brokers, servers, clients, status and logs.

What: Endpoints, RocBroker, RocServer, RocClient, StatusUpdater, statusUpdateIterator,
RocLogHandler, LogViewer.
Why: a script that says `from roc import …` runs after saying `from hector.roc import …`.
Who: programs written for ROC.

A server's object is an Object of its capsule; a client's `c['vnir']` is whatever Object plays that
part, in whatever language.
"""

from .roc import (
    Endpoints,
    LogViewer,
    RocBroker,
    RocClient,
    RocError,
    RocLogHandler,
    RocServer,
    RocTimeout,
    StatusUpdater,
    statusUpdateIterator,
)

__all__ = [
    "Endpoints",
    "LogViewer",
    "RocBroker",
    "RocClient",
    "RocError",
    "RocLogHandler",
    "RocServer",
    "RocTimeout",
    "StatusUpdater",
    "statusUpdateIterator",
]
