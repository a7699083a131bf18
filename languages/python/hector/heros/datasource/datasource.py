"""HEROs that tell measurements by the event `observable_data`."""
import asyncio
import logging

from ..event import event
from ..heros import EventObserver, LocalHERO
from ..inspect import local_only
from .types import DatasourceReturnSet, DatasourceReturnValue

log = logging.getLogger("heros")


class LocalDatasourceHERO(LocalHERO):
    """Calls `observable_data(data)` when there is something to tell."""

    def __init__(self, *args, observables=None, **kwargs):
        self._observables = observables or getattr(self, "_observables", None) or {}
        LocalHERO.__init__(self, *args, **kwargs)

    def _process_data(self, data):
        values = DatasourceReturnSet.from_data(data)
        for value in values:
            described = self._observables.get(value.get("id"), {})
            value.setdefault("raw_unit", described.get("raw_unit", ""))
        return [dict(each) for each in values]

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
        told = {}
        for name, described in self._observables.items():
            target = getattr(self, described.get("target", name))
            value = target() if callable(target) else target
            told[name] = (value[described["index"]] if "index" in described else value, described.get("raw_unit", ""))
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
        EventObserver._handle_event(self, object_name, DatasourceReturnSet(DatasourceReturnValue(**each) for each in data))

    def register_observable_data_callback(self, func):
        self.register_callback(func)
