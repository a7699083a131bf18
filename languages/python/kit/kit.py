"""The python language's side of the LanguageKit.

What: a template with the Interface of tests/kits/language.hector.yaml.
Why: every language handles calls, flows, errors and outgoing calls alike.
Who: tests/kits/language_kit.cc.
"""

import asyncio

import hector
from language import Data, Language


@hector.template(name="kit.Language.python")
class Kit(Language):
    def __init__(self, capsule, refuse=False):
        if refuse:
            raise ValueError("told to refuse")
        self.text = b""

    def echo(self, request):
        return request

    def fails(self, request):
        raise hector.Error("ABORTED", "it had to be", detail=request)

    def crashes(self, request):
        raise RuntimeError("thrown: " + request.data.decode())

    async def slow(self, _):
        await asyncio.sleep(0.05)
        return Data(data=b"slow")

    async def waits(self, _):
        try:
            await asyncio.sleep(20)
            return Data(data=b"slept")
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)  # cleanup may wait
            self.text += b"cancelled"
            raise

    def note(self, request):
        self.text += request.data

    def notes(self, _):
        return Data(data=self.text)

    async def count(self, request):
        try:
            for number in range(int(request.data)):
                yield Data(data=str(number).encode())
        except (asyncio.CancelledError, GeneratorExit):
            self.text += b"unread"
            raise

    def sum(self, requests):
        return Data(data=str(sum(int(request.data) for request in requests)).encode())

    async def chat(self, requests):
        async for request in requests:
            yield request

    async def asks(self, request):
        try:
            await self.capsule.call_async(request.data.decode(), "fails", Data(data=b"inner"))
            return Data(data=b"no error")
        except hector.Error as error:
            return Data(data=f"{error.code} {error.type}".encode())

    def who(self, _, call):
        colour = dict(call.metadata).get("colour", "nothing")
        return Data(
            data=(
                f"{self.capsule.object_name} called by {call.principal} with"
                f" {colour}{' in time' if call.has_deadline else ''}".encode()
            )
        )
