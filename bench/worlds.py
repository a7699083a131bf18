"""HEROS, Hermes and ROC on Hector beside the originals, in one run.

What: pairs of processes (worlds.cc, mdp.cc and worlds_peer.py in peers/), measured in turn in each
round; the table of docs/performance.md.
Why: a figure counts as a ratio to the original's in the same run.
Who: people; `bench/worlds.py [--rounds N] [--processor N] [--only WHAT]`.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release")
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
import outside

PEER = os.path.join(HERE, "peers", "worlds_peer.py")
WORLDS, MDP = (os.path.join(BUILD, "bench", each) for each in ("worlds", "mdp"))
READY_S = 30
CALLS = 2000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Side:
    """One process; ended with close()."""

    def __init__(self, command, processor):
        environment = dict(
            os.environ,
            HECTOR_PLUGIN_PATH=os.path.join(BUILD, "lib", "hector"),
            PYTHONPATH=os.path.join(BUILD, "lib", "hector", "languages", "python"),
        )
        pinned = ["taskset", "-c", str(processor)] if processor is not None else []
        self.process = subprocess.Popen(
            [*pinned, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{' '.join(command)} did not start")

    def rate(self, *what):
        self.process.stdin.write(" ".join(map(str, what)) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()


def heros_pairs():
    original = [outside.heros("2026.2.2"), PEER]
    ours = ["/usr/bin/python3.11", PEER]

    def script(interpreter, role, package):
        return lambda at: [*interpreter, role, package, at]

    def capsule(role):
        return lambda at: [WORLDS, role, at]

    return (
        (
            "HEROS 2026.2.2 in Python, both ends",
            script(original, "hero-serve", "heros"),
            script(original, "hero-call", "heros"),
        ),
        ("C++ capsules, over HEROS' wire", capsule("hero-serve"), capsule("hero-call")),
        ("C++ capsules that also speak udp", capsule("hero-serve-udp"), capsule("hero-call-udp")),
        (
            "HEROS in Python calls a C++ capsule",
            capsule("hero-serve"),
            script(original, "hero-call", "heros"),
        ),
        (
            "a C++ capsule calls HEROS in Python",
            script(original, "hero-serve", "heros"),
            capsule("hero-call"),
        ),
        (
            "`hector.heros` calls a C++ capsule",
            capsule("hero-serve-udp"),
            script(ours, "hero-call", "hector.heros"),
        ),
        (
            "a C++ capsule calls `hector.heros`",
            script(ours, "hero-serve", "hector.heros"),
            capsule("hero-call-udp"),
        ),
        (
            "`hector.heros`, both ends",
            script(ours, "hero-serve", "hector.heros"),
            script(ours, "hero-call", "hector.heros"),
        ),
    )


def heros(processor, add):
    for name, serve, call in heros_pairs():
        at = f"tcp/127.0.0.1:{free_port()}"
        sides = [Side(serve(at), processor)]
        sides.append(Side(call(at), processor))
        for together in (1, 16):
            add(
                "HERO's method",
                name,
                f"{together} at a time",
                sides,
                lambda sides=sides, together=together: sides[-1].rate(CALLS, together),
            )


def hermes(processor, add):
    """Started again for each figure: the original's receiver ends itself when it has been idle for
    a second.
    """

    def run(program):
        xsub, xpub = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
        sides = []
        try:
            for role in (
                ["hermes-office", xsub, xpub],
                ["hermes-receive", xpub],
                ["hermes-send", xsub],
            ):
                sides.append(Side([*program, *role], processor))
            sides[1].rate(0.5)
            return sides[1].rate(1)
        finally:
            for each in sides:
                each.close()

    for name, program in (
        ("hermes-zmq 1.3.0", [outside.zeromq(), PEER]),
        ("C++ capsules", [WORLDS]),
    ):
        add(
            "Hermes envelope, sender, post office and receiver",
            name,
            "as they come",
            [],
            lambda program=program: run(program),
        )


def broker(processor, add):
    for name, command in (
        ("a broker of RFC 7 over pyzmq", [outside.zeromq(), PEER, "mdp-broker"]),
        ("our broker", [WORLDS, "roc-broker"]),
    ):
        at = f"tcp://127.0.0.1:{free_port()}"
        sides = [Side([*command, at], processor), Side([MDP, "serve", at, "16"], processor)]
        sides.append(Side([MDP, "call", at], processor))
        for together in (1, 64):
            add(
                "call through a Majordomo broker, workers that only answer",
                name,
                f"{together} at a time",
                sides,
                lambda sides=sides, together=together: sides[-1].rate(CALLS * 5, together),
            )


def calls(processor, add):
    at = f"tcp://127.0.0.1:{free_port()}"
    sides = [
        Side([WORLDS, role, at], processor) for role in ("roc-broker", "roc-serve", "roc-call")
    ]
    for together in (1, 16):
        add(
            "ROC call through our broker",
            "C++ capsules",
            f"{together} at a time",
            sides,
            lambda together=together: sides[-1].rate(CALLS, together),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--processor", type=int, help="every process on this one; else wherever there is one"
    )
    parser.add_argument("--only", choices=("heros", "hermes", "broker", "roc"))
    options = parser.parse_args()
    print(
        f"| what (median of {options.rounds} rounds, min to max) | who | how | /s | ratio to the "
        "first |\n"
        "|---|---|---|---|---|"
    )
    for name, measure in (("heros", heros), ("hermes", hermes), ("broker", broker), ("roc", calls)):
        if options.only in (None, name):
            table(measure, options)


def table(measure, options):
    rows, sides = [], []

    def add(what, who, how, its_sides, run):
        sides.extend(each for each in its_sides if each not in sides)
        rows.append((what, who, how, run, its_sides))

    try:
        measure(options.processor, add)
        rates = [[] for _ in rows]
        for each in rows:
            pause(each[4], sides)
            each[3]()  # warm
        for _ in range(options.rounds):
            for kept, each in zip(rates, rows):
                pause(each[4], sides)
                kept.append(each[3]())
    finally:
        for each in sides:
            each.close()
    for kept, (what, who, how, _, _) in zip(rates, rows):
        first = rates[next(i for i, each in enumerate(rows) if each[2] == how)]
        ratios = [a / b for a, b in zip(kept, first)]
        ratio = (
            ""
            if kept is first
            else f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
        print(
            f"| {what} | {who} | {how} | {statistics.median(kept):,.0f} ({min(kept):,.0f} to"
            f" {max(kept):,.0f}) | {ratio} |",
            flush=True,
        )


def pause(runs, all_sides):
    """Who is not measured stands still: the originals burn a processor each while they wait."""
    import signal

    for each in all_sides:
        each.process.send_signal(signal.SIGCONT if each in runs else signal.SIGSTOP)


if __name__ == "__main__":
    main()
