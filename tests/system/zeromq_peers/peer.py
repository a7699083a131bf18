"""Unmodified programs of the ZeroMQ worlds, told by lines of JSON on standard input what to do; one
line of JSON answers each.

What: Hermes (hermes-zmq), majortomo (18/MDP), and a client and a worker of 7/MDP as the RFC has
them.
Why: Hector is used by them, and uses them.
Who: zeromq_test.py, in a venv with the packages.
"""

import json
import sys
import threading
import time
import traceback

import zmq

context = zmq.Context()
sockets, received, threads = {}, [], []


class RocServer(threading.Thread):
    """A ROC object, of 7/MDP and JSON-RPC 2.0."""

    def __init__(self, broker, name, describes=True, heartbeat_s=0.2):
        super().__init__(daemon=True)
        self.broker, self.name_, self.describes, self.heartbeat_s = (
            broker,
            name,
            describes,
            heartbeat_s,
        )
        self.gain, self.calls, self.stopped = 1.5, [], False
        self.start()

    def answer(self, method, params):
        args, named = (params, {}) if isinstance(params, list) else ([], params)
        if method == "rpc.describe" and self.describes:
            return {
                "class": "Spectrometer",
                "methods": {
                    "add": [
                        {"name": "a", "type": "int"},
                        {"name": "b", "type": "int", "default": 2},
                    ],
                    "echo": [{"name": "value"}],
                    "fail": [],
                    "slow": [{"name": "seconds", "type": "float"}],
                },
                "attributes": {"gain": "rw"},
            }
        if method == "add":
            return (lambda a, b=2: a + b)(*args, **named)
        if method == "echo":
            return (lambda value: value)(*args, **named)
        if method == "slow":
            time.sleep((lambda seconds: seconds)(*args, **named))
            return "slow"
        if method == "fail":
            raise ValueError("told to fail")
        if method == "rpc.getattr" and args == ["gain"]:
            return self.gain
        if method == "rpc.setattr":
            self.gain = args[1]
            return None
        raise NotImplementedError(method)

    def run(self):
        socket = context.socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(self.broker)
        socket.send_multipart([b"", b"MDPW01", b"\x01", self.name_.encode()])
        beat = time.monotonic()
        while not self.stopped:
            if socket.poll(50):
                frames = socket.recv_multipart()
                if frames[2] == b"\x02":
                    request = json.loads(frames[5])
                    self.calls.append(request["method"])
                    try:
                        answer = {
                            "jsonrpc": "2.0",
                            "id": request["id"],
                            "result": self.answer(request["method"], request.get("params", [])),
                        }
                    except NotImplementedError as error:
                        answer = {
                            "jsonrpc": "2.0",
                            "id": request["id"],
                            "error": {"code": -32601, "message": str(error)},
                        }
                    except Exception as error:
                        answer = {
                            "jsonrpc": "2.0",
                            "id": request["id"],
                            "error": {
                                "code": -32000,
                                "message": str(error),
                                "data": {"type": type(error).__name__},
                            },
                        }
                    socket.send_multipart(
                        [b"", b"MDPW01", b"\x03", frames[3], b"", json.dumps(answer).encode()]
                    )
            if time.monotonic() - beat > self.heartbeat_s:
                beat = time.monotonic()
                socket.send_multipart([b"", b"MDPW01", b"\x04"])
        socket.send_multipart([b"", b"MDPW01", b"\x05"])
        time.sleep(0.1)
        socket.close()


class PlainBroker(threading.Thread):
    """A broker of 7/MDP without heartbeats. `mmi`: it knows no 8/MMI (none), refuses it (501), or
    answers for one name at a time (names).
    """

    def __init__(self, address, mmi):
        super().__init__(daemon=True)
        self.mmi, self.workers, self.waiting = mmi, {}, {}
        self.socket = context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(address)
        self.start()

    def answer_mmi(self, sender, service, name):
        is_known = self.mmi == "names" and service == b"mmi.service"
        code = b"501" if not is_known else b"200" if name in self.workers else b"404"
        self.socket.send_multipart([sender, b"", b"MDPC01", service, code])

    def hand_on(self, service):
        while self.workers.get(service) and self.waiting.get(service):
            client, body = self.waiting[service].pop(0)
            worker = self.workers[service]
            self.socket.send_multipart([worker, b"", b"MDPW01", b"\x02", client, b"", *body])

    def run(self):
        while True:
            sender, _, side, what, *rest = self.socket.recv_multipart()
            if side == b"MDPC01" and what.startswith(b"mmi.") and self.mmi != "none":
                self.answer_mmi(sender, what, rest[0])
            elif side == b"MDPC01":
                self.waiting.setdefault(what, []).append((sender, rest))
                self.hand_on(what)
            elif what == b"\x01":
                self.workers[rest[0]] = sender
                self.hand_on(rest[0])
            elif what == b"\x03":
                service = next(each for each, by in self.workers.items() if by == sender)
                self.socket.send_multipart([rest[0], b"", b"MDPC01", service, *rest[2:]])


def hermes_receiver(address, **options):
    from hermes import Receiver

    receiver = Receiver(address, "test-receiver", **options)
    receiver.start()
    threads.append(receiver)


def hermes_received():
    for receiver in threads:
        while (envelope := receiver.recv()) is not None:
            received.append([envelope.topic, envelope.origin, envelope.data, envelope.ts])


def rpc(address, service, text, timeout_s=5.0):
    socket = context.socket(zmq.REQ)
    socket.linger = 0
    socket.connect(address)
    socket.send_multipart([b"MDPC01", service.encode(), text.encode()])
    try:
        if not socket.poll(int(timeout_s * 1000)):
            return None
        frames = socket.recv_multipart()
        assert frames[:2] == [b"MDPC01", service.encode()], frames
        return frames[2].decode()
    finally:
        socket.close()


def do(what, *a):
    if what == "open":  # a raw socket
        socket = context.socket(getattr(zmq, a[1]))
        socket.linger = 0
        if a[1] == "SUB":
            socket.subscribe(bytes.fromhex(a[3]) if len(a) > 3 else b"")
        socket.connect(a[2])
        sockets[a[0]] = socket
        return True
    if what == "send":
        sockets[a[0]].send_multipart([bytes.fromhex(each) for each in a[1]])
        return True
    if what == "recv":
        return (
            [each.hex() for each in sockets[a[0]].recv_multipart()]
            if sockets[a[0]].poll(int(a[1] * 1000))
            else None
        )
    if what == "close":
        sockets.pop(a[0]).close()
        return True
    if what == "plain_broker":
        sockets["broker"] = broker = PlainBroker(*a)
        return broker is not None
    if what == "serve":
        sockets["server:" + a[1]] = server = RocServer(*a)
        return server is not None
    if what == "stop":
        sockets.pop("server:" + a[0]).stopped = True
        return True
    if what == "calls":
        return sockets["server:" + a[0]].calls
    if what == "gain":
        return sockets["server:" + a[0]].gain
    if what == "rpc":
        return rpc(*a)
    if what == "majortomo":  # 18/MDP
        from majortomo import Client

        client = Client(a[0])
        client.connect()
        client.send(a[1].encode(), a[2].encode())
        return [each.decode() for each in client.recv_all_as_list(timeout=5)]
    if what == "majortomo_worker":
        from majortomo import Worker

        def work():
            with Worker(a[0], a[1].encode(), heartbeat_interval=0.2) as worker:
                while True:
                    client, request = worker.wait_for_request()
                    worker.send_reply_final(client, [request[0][::-1]])

        threading.Thread(target=work, daemon=True).start()
        return True
    if what == "hermes_office":
        from hermes import PostOffice

        office = PostOffice(*a)
        office.daemon = True
        office.start()
        return True
    if what == "hermes_receive":
        hermes_receiver(a[0], **(a[1] if len(a) > 1 else {}))
        return True
    if what == "hermes_publish":
        from hermes import Envelope, Message, Publisher

        class Reading(Message):
            __slots__ = ["value"]

            def __init__(self, value):
                super().__init__(ts=5.0)
                self.value = value

        if "publisher" not in sockets:
            sockets["publisher"] = publisher = Publisher(a[0], "test-publisher")
            publisher.daemon = True
            publisher.start()
            time.sleep(1.0)
        for each in a[2]:
            assert sockets["publisher"].publish(
                Envelope(
                    a[1],
                    "test-publisher",
                    (
                        Reading(each["message"])
                        if isinstance(each, dict) and "message" in each
                        else each
                    ),
                )
            )
        return True
    if what == "received":
        until = time.monotonic() + a[1]
        while len(received) < a[0] and time.monotonic() < until:
            hermes_received()
            time.sleep(0.01)
        taken, received[:] = list(received), []
        return taken
    if what == "alive":
        return [each.is_alive() for each in threads]
    if what == "sleep":
        time.sleep(a[0])
        return True
    raise ValueError(what)


def main():
    out = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        try:
            answer = {"ok": do(*json.loads(line))}
        except BaseException as error:  # the test wants to see each of them
            answer = {
                "error": type(error).__name__,
                "bases": [],
                "text": str(error),
                "trace": traceback.format_exc(),
            }
        out.write(json.dumps(answer) + "\n")
        out.flush()


main()
