"""HEROs that tell measurements by the event `observable_data`.

What: LocalDatasourceHERO and what observes one.
Why: HEROS records measurements of any HERO that way.
Who: programs written for HEROS.
"""

import asyncio

from ..event import event
from ..helper import log
from ..heros import EventObserver, LocalHERO
from ..inspect import local_only
from .observables import ObservableProcessor
from .types import DatasourceReturnSet, DatasourceReturnValue


class LocalDatasourceHERO(LocalHERO):
    """Calls `observable_data(data)` when there is something to tell."""

    def __init__(self, *args, observables=None, **kwargs):
        self._observables = observables or getattr(self, "_observables", None) or {}
        self._declared = ObservableProcessor(self._observables)
        LocalHERO.__init__(self, *args, **kwargs)

    def _process_data(self, data):
        return self._declared(DatasourceReturnSet.from_data(data))

    @event
    def observable_data(self, data):
        return self._process_data(data)


class PolledLocalDatasourceHERO(LocalDatasourceHERO):
    """Calls its own `_observable_data()` every `interval` seconds on the asyncio loop."""

    def __init__(self, *args, loop, interval=5, **kwargs):
        LocalDatasourceHERO.__init__(self, *args, **kwargs)
        self.datasource_interval, self._loop, self._stopped = interval, loop, asyncio.Event()
        loop.call_soon_threadsafe(lambda: setattr(self, "_task", loop.create_task(self._poll())))

    async def _poll(self):
        while not self._stopped.is_set():
            try:
                self.observable_data()
            except Exception:
                log.exception("Failed getting observables from hero '%s'", self._name)
            try:
                await asyncio.wait_for(self._stopped.wait(), self.datasource_interval)
            except asyncio.TimeoutError:
                pass

    @event
    def observable_data(self):
        return self._process_data(self._observable_data())

    def _observable_data(self):
        """One that cannot be read is logged; the others are told."""
        told = {}
        for name, described in self._observables.items():
            try:
                target = getattr(self, described.get("target", name))
                value = target() if callable(target) else target
            except AttributeError:
                log.exception(
                    "Observable '%s': '%s' has no '%s'",
                    name,
                    self._name,
                    described.get("target", name),
                )
                value = None
            if "index" in described:
                try:
                    value = value[described["index"]]
                except (TypeError, KeyError, IndexError):
                    log.exception(
                        "Observable '%s': %r has no index %r", name, value, described["index"]
                    )
                    continue
            told[name] = (value, described.get("raw_unit", ""))
        return told

    @local_only
    def _destroy_hero(self):
        self._loop.call_soon_threadsafe(self._stopped.set)
        super()._destroy_hero()


class DatasourceObserver(EventObserver):
    """The measurements of all datasources of a realm."""

    def __init__(self, object_selector="*", *args, **kwargs):
        EventObserver.__init__(self, object_selector, "observable_data", *args, **kwargs)

    def _handle_event(self, object_name, data):
        EventObserver._handle_event(
            self, object_name, DatasourceReturnSet(DatasourceReturnValue(**each) for each in data)
        )

    def register_observable_data_callback(self, func):
        self.register_callback(func)
