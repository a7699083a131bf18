"""HEROS on Hector: the same names, the same behaviour.

What: LocalHERO, RemoteHERO, observers, events, datasources.
Why: a script that says `from heros import …` runs after saying `from hector.heros import …`, and
its objects are Objects of a capsule, with types, orders and trading.
Who: programs written for HEROS.

What is better: a dead object raises RemoteTransportError (HEROS 0.9.1 returns None), a second
object of a taken name is refused, calls of one object run side by side, errors do not ship source
lines.
"""

from .capabilities import __proto_version__
from .heros import EventObserver, HEROObserver, HEROPeer, LocalHERO, RemoteHERO  # noqa: I001
from .datasource.datasource import (
    DatasourceObserver,
    LocalDatasourceHERO,
    PolledLocalDatasourceHERO,
)
from .datasource.types import DatasourceReturnSet, DatasourceReturnValue
from .event import event

#: The release of HEROS whose names these are.
__version__ = "2026.2.2"
__all__ = [
    "DatasourceObserver",
    "DatasourceReturnSet",
    "DatasourceReturnValue",
    "EventObserver",
    "HEROObserver",
    "HEROPeer",
    "LocalDatasourceHERO",
    "LocalHERO",
    "PolledLocalDatasourceHERO",
    "RemoteHERO",
    "event",
]
