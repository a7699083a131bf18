"""The other side of a world: the originals in Python, and the same script on Hector's package.

What: one role, as in worlds.cc.
Why: figures are measured beside the originals.
Who: bench/worlds.py. usage: worlds_peer.py ROLE ADDRESS...
"""

import importlib
import sys
import threading
import time


def ready():
    print("ready", flush=True)


def heros(package, listen, connect):
    module = importlib.import_module(package)
    importlib.import_module(package + ".zenoh").session_manager.update_config(
        {
            "mode": "peer",
            "listen/endpoints": [listen],
            "connect/endpoints": connect,
            "scouting/multicast/enabled": False,
        }
    )
    return module


def hero_serve(package, at):
    module = heros(package, at, [])

    class Adder(module.LocalHERO):
        def add(self, a: int, b: int) -> float:
            return a + b

    kept = Adder("adder")
    ready()
    threading.Event().wait()
    del kept


def hero_call(package, at):
    module = heros(package, "tcp/127.0.0.1:0", [at])
    until = time.monotonic() + 10
    while True:
        try:
            adder = module.RemoteHERO("adder")
            break
        except NameError:
            if time.monotonic() > until:
                raise
    ready()
    for line in sys.stdin:
        count, together = map(int, line.split())

        def call(times):
            for _ in range(times):
                assert adder.add(1, 2) == 3

        threads = [
            threading.Thread(target=call, args=(count // together,)) for _ in range(together)
        ]
        begin = time.monotonic()
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        print(count // together * together / (time.monotonic() - begin), flush=True)


def hermes_office(xsub, xpub):
    from hermes import PostOffice

    office = PostOffice(xsub, xpub, "tcp://127.0.0.1:0")
    office.start()
    ready()
    threading.Event().wait()


def hermes_send(at):
    """Its publish() puts into a queue; a queue that grows for ever measures nothing, so it is fed
    as fast as it empties.
    """
    from hermes import Envelope, Publisher

    sender = Publisher(at, "sender")
    sender.start()
    time.sleep(0.5)
    ready()
    while True:
        if sender.q.qsize() < 100:
            sender.publish(Envelope("bench/t", "sender", "a text of some length"))
        else:
            time.sleep(0.0005)


def hermes_receive(at):
    from hermes import Receiver

    receiver = Receiver(at, "receiver")
    told = [0]

    def count():
        while True:
            # its recv() would have to be asked in a loop, beside the one that it runs already
            receiver.q.get()
            told[0] += 1

    receiver.start()
    threading.Thread(target=count, daemon=True).start()
    ready()
    for line in sys.stdin:
        before, begin = told[0], time.monotonic()
        time.sleep(float(line))
        print((told[0] - before) / (time.monotonic() - begin), flush=True)


def mdp_broker(at):
    """A broker of RFC 7 (7/MDP), one thread over pyzmq: READY, REQUEST, REPLY, HEARTBEAT,
    DISCONNECT, mmi.service; a queue of requests and one of free workers for each service.
    """
    import collections

    import zmq

    socket = zmq.Context().socket(zmq.ROUTER)
    socket.bind(at)
    requests, free, services, owners = (
        collections.defaultdict(collections.deque),
        collections.defaultdict(collections.deque),
        {},
        {},
    )
    beat = time.monotonic()

    def dispatch(service):
        while requests[service] and free[service]:
            worker, (client, body) = free[service].popleft(), requests[service].popleft()
            owners[worker] = client
            socket.send_multipart([worker, b"", b"MDPW01", b"\x02", client, b"", *body])

    ready()
    while True:
        if socket.poll(250):
            sender, _, header, *rest = socket.recv_multipart()
            if header == b"MDPC01" and len(rest) > 1:
                service, *body = rest
                if service == b"mmi.service":
                    socket.send_multipart(
                        [
                            sender,
                            b"",
                            b"MDPC01",
                            service,
                            b"200" if body[0] in services.values() else b"404",
                        ]
                    )
                elif service.startswith(b"mmi."):
                    socket.send_multipart([sender, b"", b"MDPC01", service, b"501"])
                else:
                    requests[service].append((sender, body))
                    dispatch(service)
            elif header == b"MDPW01" and rest:
                command = rest[0]
                if command == b"\x01":
                    services[sender] = rest[1]
                    free[rest[1]].append(sender)
                    dispatch(rest[1])
                elif command == b"\x03" and sender in services:
                    client, service = rest[1], services[sender]
                    owners.pop(sender, None)
                    socket.send_multipart([client, b"", b"MDPC01", service, *rest[3:]])
                    free[service].append(sender)
                    dispatch(service)
                elif command == b"\x05" and sender in services:
                    service = services.pop(sender)
                    if sender in free[service]:
                        free[service].remove(sender)
        if time.monotonic() - beat > 1:
            beat = time.monotonic()
            for worker in services:
                socket.send_multipart([worker, b"", b"MDPW01", b"\x04"])


if __name__ == "__main__":
    globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])
