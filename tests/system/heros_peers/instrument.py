"""An Object of Hector that is a HERO.

What: a template whose members do what the test expects.
Why: the real HEROS calls it.
Who: heros_test.py.
"""

import asyncio

import hector
from instrument import Collected, Count, Instrument, Nothing, Number, Text, Texts


@hector.template(name="lab.Instrument.python")
class Served(Instrument):
    def __init__(self, capsule):
        self.gain = 1.0
        self.notes = []
        self.watchers = []

    def add(self, request):
        return Number(
            value=(request.a + request.b) * (request.scale if request.HasField("scale") else 1.0)
        )

    def echo(self, request):
        return request

    def collect(self, request):
        return Texts(
            texts=[
                str(request.first),
                *(str(each.integer) for each in request.rest),
                *(f"{name}={each.integer}" for name, each in sorted(request.named.items())),
            ]
        )

    def fail(self, request):
        raise hector.Error(request.text, "told to fail")

    async def slow(self, request):
        await asyncio.sleep(request.value)
        return request

    def note(self, request):
        self.notes.append(request.text)

    def get_gain(self, _):
        return Number(value=self.gain)

    def set_gain(self, request):
        if request.value < 0:
            raise hector.Error("INVALID_ARGUMENT", "a gain is not negative")
        self.gain = request.value
        return Nothing()

    def get_serial(self, _):
        return Text(text="S-17")

    async def tick(self, _):
        queue = asyncio.Queue()
        self.watchers.append(queue)
        try:
            while True:
                yield Count(value=await queue.get())
        finally:
            self.watchers.remove(queue)

    async def fire(self, request):
        for queue in self.watchers:
            queue.put_nowait(request.value)
        return Count(value=len(self.watchers))

    def received(self, _):
        return Texts(texts=self.notes)

    def on_tick(self, request):
        self.notes.append(str(request.value.integer))
        return Nothing()
