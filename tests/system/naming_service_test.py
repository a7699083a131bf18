"""Naming as a person uses it: contexts, links, junctions into other naming systems, attributes,
leases, watches.

What: the cases N6 to N12 and what stands beside them.
Why: a name has to lead on into what has names already: another capsule, DNS, a file system, etcd,
CosNaming.
Who: ctest.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from capsules import CommandFailed, Capsules
from etcd_server import Etcd
from needs import durable, needs

CAPSULE = """capsule: {name}
protocols: {{udp: {{listen: "127.0.0.1:0"}}, grpc: {{listen: "127.0.0.1:0"}}}}
services: {{naming: {{settings: {{federate: [{federate}]}}}}}}
"""
NEEDED = ("services/naming", "stores/sqlite", "protocols/udp", "protocols/grpc")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class NamingTest(unittest.TestCase):
    def setUp(self):
        self.capsules = Capsules()
        self.addCleanup(self.capsules.stop)

    def capsule(self, name, *federate):
        return self.capsules.configure(
            name, CAPSULE.format(name=name, federate=", ".join(f'"{each}"' for each in federate))
        )

    def name(self, *arguments, capsule="hub"):
        return self.capsules.hector("name", *arguments, capsule=capsule).strip()

    def names(self, *arguments, capsule="hub"):
        return [
            line.split()[0]
            for line in self.name("list", *arguments, capsule=capsule).splitlines()
            if not line.startswith(" ")
        ]

    def refused(self, *arguments, capsule="hub"):
        with self.assertRaises(CommandFailed) as caught:
            self.name(*arguments, capsule=capsule)
        return str(caught.exception)

    def code(self, *arguments, capsule="hub"):
        return self.refused(*arguments, capsule=capsule).split(": ")[2]

    def kill(self, name):
        self.capsules.processes[name].kill()
        self.capsules.processes[name].wait()
        os.remove(os.path.join(self.capsules.run, f"{name}.reference"))


@needs(*NEEDED)
class Contexts(NamingTest):
    def setUp(self):
        super().setUp()
        self.capsule("hub")

    def test_n6_exclusive_twice_overwritten_and_unbound_twice(self):
        self.name("bind", "x", "--address", "a=1", "--exclusive")
        self.assertEqual(self.code("bind", "x", "--address", "a=2", "--exclusive"), "NAME_IN_USE")
        self.name("bind", "x", "--address", "a=3")
        self.assertIn("a 3", self.name("lookup", "x"))
        self.name("unbind", "x")
        self.name("unbind", "x")
        self.assertEqual(self.code("lookup", "x"), "NAME_NOT_FOUND")

    def test_contexts_are_made_renamed_in_one_write_and_destroyed_when_empty(self):
        self.assertEqual(self.code("bind", "a/b/c", "--address", "a=1"), "NAME_NOT_FOUND")
        self.name("bind", "-p", "a/b/c", "--address", "a=1")
        self.name("bind", "a/b/d", "--address", "a=2")
        self.name("rename", "a/b", "z")
        self.assertEqual(self.names("a/z"), ["c", "d"])
        self.assertEqual(self.code("lookup", "a/b/c"), "NAME_NOT_FOUND")
        self.name("rename", "a/z", "_myens/top")
        self.assertIn("a 1", self.name("lookup", "top/c"))
        self.assertEqual(self.code("rename", "top", "top/c/x"), "NOT_A_CONTEXT")
        self.name("create", "top/in")
        self.assertEqual(self.code("rename", "top", "top/in/top"), "ILLEGAL_NAME")
        self.assertEqual(self.code("rename", "top/c", "d", "--exclusive"), "NAME_IN_USE")
        self.assertEqual(self.code("rename", "top/c", "in"), "NAME_IN_USE")
        self.assertEqual(self.code("destroy", "top"), "CTX_NOT_EMPTY")
        self.assertEqual(self.code("destroy", "top/c"), "NOT_A_CONTEXT")
        self.assertEqual(self.code("create", "top/in"), "NAME_IN_USE")
        self.assertEqual(self.code("bind", "top/in", "--address", "a=1"), "NAME_IN_USE")
        self.name("destroy", "top/in")
        self.name("destroy", "top/in")
        self.assertEqual(self.code("lookup", "top/c/x/y"), "NOT_A_CONTEXT")
        self.assertIn("resolved 'top/c', remaining 'x/y'", self.refused("lookup", "top/c/x/y"))
        self.assertEqual(self.code("lookup", "top/'c"), "ILLEGAL_NAME")
        self.assertEqual(self.code("lookup", "top/"), "NAME_NOT_FOUND")
        self.name("bind", "top/", "--address", "next=1")
        self.assertIn(
            "next 1", self.name("lookup", "top/"), "a context's implicit next naming system"
        )

    def test_links_are_followed_sixteen_times_from_their_context_or_the_initial_one(self):
        self.name("bind", "-p", "a/b/c", "--address", "a=1")
        self.name("bind", "l", "--link", "a/b")
        self.name("bind", "a/b/near", "--link", "./c")
        self.assertIn("a 1", self.name("lookup", "l/near"))
        self.assertIn("-> ./c", self.name("lookup", "l/near", "--link"))
        self.name("bind", "loop", "--link", "loop")
        self.assertEqual(self.code("lookup", "loop"), "LINK_LOOP_LIMIT")
        self.name("bind", "-p", "ring/a", "--link", "ring/b")
        self.name("bind", "ring/b", "--link", "ring/a")
        for operation in ("lookup", "list", "destroy"):
            with self.subTest(operation=operation):
                where = "ring/a/x"
                self.assertEqual(self.code(operation, where), "LINK_LOOP_LIMIT")
                # The sixteenth link leads to ring/a, which would be the seventeenth.
                said = "of the link's name resolved 'ring', remaining 'a'"
                self.assertIn(said, self.refused(operation, where))
        self.name("bind", "l0", "--address", "end=1")
        for i in range(17):
            self.name("bind", f"l{i + 1}", "--link", f"l{i}")
        self.assertIn("end 1", self.name("lookup", "l16"))
        self.assertEqual(self.code("lookup", "l17"), "LINK_LOOP_LIMIT")
        self.name("bind", "dangling", "--link", "a/no")
        self.assertEqual(self.code("lookup", "dangling"), "LINK_ERROR")
        self.assertEqual(self.code("lookup", "l/nothing"), "NAME_NOT_FOUND")
        self.assertEqual(self.code("bind", "wrong", "--link", "'a"), "MALFORMED_LINK")
        self.assertEqual(self.code("bind", "none"), "MALFORMED_REFERENCE")

    def test_attributes_and_filters(self):
        self.name(
            "bind",
            "-p",
            "printers/lp1",
            "--address",
            "ipp=1",
            "-a",
            "colour=red,blue",
            "-a",
            "ppm=10",
        )
        self.name("bind", "printers/hall", "--address", "lpr=1", "-a", "ppm=30")
        self.name("create", "printers/more")
        self.name("bind", "printers/more/lp2", "--address", "ipp=1", "-a", "ppm=40")
        found = lambda *arguments: [
            line.split()[0]
            for line in self.name("search", "printers", *arguments).splitlines()
            if not line.startswith(" ")
        ]
        self.assertEqual(found("--where", "ppm >= 30"), ["hall"])
        self.assertEqual(found("--where", "ppm >= 30", "--deep"), ["hall", "more/lp2"])
        self.assertEqual(
            found("--where", "not (colour == 'red')"),
            ["hall", "more"],
            "the innermost expression is FALSE, its contrary TRUE",
        )
        self.assertEqual(found("--where", "colour == 'blue' and ppm < 11"), ["lp1"])
        self.assertEqual(found("--where", "name('lp'*)", "--deep"), ["lp1", "more/lp2"])
        self.assertEqual(found("--where", "addrtype('lpr')"), ["hall"])
        self.assertEqual(found("--where", "reftype('hector.context')"), ["more"])
        self.assertEqual(
            self.code("search", "printers", "--where", "ppm >="), "SEARCH_INVALID_FILTER"
        )
        self.name("attributes", "printers/lp1", "--set", "colour=green", "--add", "--remove", "ppm")
        self.assertEqual(self.name("attributes", "printers/lp1"), "colour = red, blue, green")
        self.assertEqual(
            self.code(
                "attributes", "printers/lp1", "--set", "new=1", "--set", "colour=x", "--exclusive"
            ),
            "ATTR_IN_USE",
        )
        self.assertEqual(
            self.name("attributes", "printers/lp1"), "colour = red, blue, green", "all or none"
        )
        self.name("attributes", "printers/lp1", "--remove", "colour=red,blue")
        self.assertEqual(self.name("attributes", "printers/lp1"), "colour = green")
        self.name("bind", "printers/lp1", "--address", "ipp=2")
        self.assertEqual(
            self.name("attributes", "printers/lp1"),
            "colour = green",
            "bound anew without attributes it keeps them",
        )
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call(
                "naming.attr_get", {"name": "printers/lp1", "ids": ["owner"]}, capsule="hub"
            )
        self.assertIn("NO_SUCH_ATTRIBUTE", str(caught.exception))
        many = {
            "name": "printers/lp1",
            "modifications": [{"attribute": {"id": "x", "values": [str(i) for i in range(1001)]}}],
        }
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call("naming.attr_modify", many, capsule="hub")
        self.assertIn("TOO_MANY_ATTR_VALUES", str(caught.exception))
        many["modifications"][0]["attribute"] = {"id": "x", "values": ["v" * 20_000]}
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call("naming.attr_modify", many, capsule="hub")
        self.assertIn("INVALID_ATTR_VALUE", str(caught.exception))

    def test_listings_and_many_names_are_of_one_revision(self):
        for i in range(12):
            self.name("bind", "-p", f"many/n{i:02}", "--address", "a=1")
        first = self.capsules.call(
            "naming.list_names", {"name": "many", "how_many": 5}, capsule="hub"
        )
        self.name("unbind", "many/n07")
        self.name("bind", "many/n99", "--address", "a=1")
        got = [each["name"] for each in first["bindings"]]
        page = first
        while page["iterator"]:
            page = self.capsules.call(
                "naming.list_names",
                {"name": "many", "how_many": 5, "iterator": page["iterator"]},
                capsule="hub",
            )
            self.assertEqual(page["revision"], first["revision"])
            got += [each["name"] for each in page["bindings"]]
        self.assertEqual(got, [f"n{i:02}" for i in range(12)])
        for wrong in ("x", "999999999:00", "0:"):
            with self.assertRaises(CommandFailed) as caught:
                self.capsules.call(
                    "naming.list_names", {"name": "many", "iterator": wrong}, capsule="hub"
                )
            self.assertIn("INVALID_ENUM_HANDLE", str(caught.exception))
        answers = self.capsules.call(
            "naming.resolve_many", {"names": ["many/n01", "many/no", "many"]}, capsule="hub"
        )["answers"]
        self.assertEqual(
            [each.get("status", {}).get("code", "") for each in answers], ["", "NAME_NOT_FOUND", ""]
        )

    def test_the_initial_context_is_the_askers(self):
        self.assertIn("_management @ hub", self.name("lookup", "_thiscapsule"))
        self.assertEqual(self.name("equivalent", "_thiscapsule/x", "capsules"), "capsules/hub/x")
        self.assertEqual(self.name("equivalent", "capsules/hub", "_thiscapsule"), "_thiscapsule")
        self.assertEqual(self.name("equivalent", "capsules/hub", "_user"), "(none)")
        self.name("bind", "-p", "user/jo/fs", "--address", "file=/home/jo")
        asked = self.capsules.call(
            "naming.lookup", {"name": "_myself/fs", "who": {"principal": "jo"}}, capsule="hub"
        )
        self.assertEqual(asked["addresses"][0]["type"], "file")
        self.assertIn("direction left_to_right", self.name("syntax", "user"))

    @durable
    def test_what_was_acknowledged_is_there_after_kill(self):
        self.name("bind", "-p", "a/b", "--address", "a=1")
        self.kill("hub")
        self.capsule("hub")
        self.assertIn("a 1", self.name("lookup", "a/b"))
        self.assertIn("_management @ hub", self.name("lookup", "capsules/hub"))


@needs(*NEEDED)
class LeasesAndWatches(NamingTest):
    def watch(self, message, timeout_ms):
        """Events until the time is over."""
        try:
            out = self.capsules.hector(
                "--timeout-ms",
                str(timeout_ms),
                "call",
                "naming.watch",
                json.dumps(message),
                capsule="hub",
            )
        except CommandFailed as failed:
            out = failed.text
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def test_n11_a_leased_binding_vanishes_with_its_lease(self):
        self.capsule("hub")
        self.capsules.configure(
            "north",
            CAPSULE.format(name="north", federate="").replace(
                "{naming: {settings: {federate: []}}}", "{naming: {joined: hub}}"
            ),
        )
        self.assertIn("north", self.names("capsules"))
        lease = self.capsules.call(
            "naming.open_lease", {"owner": "test", "ttl_ms": 5000}, capsule="hub"
        )["lease"]
        bound = self.capsules.call(
            "naming.bind",
            {
                "name": "leased/x",
                "make_contexts": True,
                "addresses": [{"type": "a", "data": "MQ=="}],
                "lease": lease,
            },
            capsule="hub",
        )
        begun = time.monotonic()
        self.kill("north")
        while time.monotonic() < begun + 3:
            self.assertIn("leased/x", self.name("lookup", "leased/x"))
        while True:
            try:
                self.name("lookup", "leased/x")
                self.assertLess(time.monotonic(), begun + 6.5)
            except CommandFailed as failed:
                self.assertIn("NAME_NOT_FOUND", failed.text)
                break
        deadline = time.monotonic() + 10
        while "north" in self.names("capsules"):
            self.assertLess(
                time.monotonic(), deadline, "a killed capsule's names go with its lease"
            )
        self.assertEqual(self.names("leased"), [])
        with self.assertRaises(CommandFailed) as caught:
            self.capsules.call("naming.renew_lease", {"lease": lease}, capsule="hub")
        self.assertIn("NOT_FOUND", str(caught.exception))
        self.assertGreater(int(bound["revision"]), 0)

    @durable
    def test_n12_a_watch_misses_nothing_over_a_restart(self):
        self.capsule("hub")
        self.name("create", "watched")
        start = int(
            self.capsules.call(
                "naming.bind",
                {"name": "watched/first", "addresses": [{"type": "a"}]},
                capsule="hub",
            )["revision"]
        )
        self.kill("hub")
        self.capsule("hub")
        import concurrent.futures  # the names are bound by a few command lines at once

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(
                pool.map(
                    lambda i: self.capsules.call(
                        "naming.bind",
                        {"name": f"watched/n{i:03}", "addresses": [{"type": "a"}]},
                        capsule="hub",
                    ),
                    range(1000),
                )
            )
        self.name("unbind", "watched/first")
        events = self.watch({"name": "watched", "from": start + 1}, 3000)
        revisions = [int(each["revision"]) for each in events]
        self.assertEqual(revisions, sorted(set(revisions)), "in order, none twice")
        self.assertEqual(
            sorted(each["binding"]["name"] for each in events if not each["is_gone"]),
            [f"n{i:03}" for i in range(1000)],
        )
        self.assertEqual([each["binding"]["name"] for each in events if each["is_gone"]], ["first"])
        self.assertEqual(
            len(self.watch({"name": "watched", "prefix": "n00", "from": start}, 1000)), 10
        )


@needs(*NEEDED)
class Federation(NamingTest):
    def test_n8_four_naming_systems_and_the_fourth_is_down(self):
        for each in ("hub", "two", "three", "four"):
            self.capsule(each)
        self.name("bind", "corp", "--next", "two")
        self.name("bind", "user", "--next", "three", capsule="two")
        self.name("create", "jo", capsule="three")
        self.name("bind", "jo/fs", "--next", "four", capsule="three")
        self.name("bind", "-p", "etc/x", "--address", "a=1", capsule="four")
        self.assertIn("a 1", self.name("lookup", "corp/user/jo/fs/etc/x"))
        self.assertEqual(self.names("corp/user/jo/fs/etc"), ["x"])
        self.name("bind", "corp/user/jo/fs/etc/y", "--address", "a=2")
        self.assertIn("a 2", self.name("lookup", "etc/y", capsule="four"))
        self.name("rename", "corp/user/jo/fs/etc/y", "z")
        self.assertEqual(self.code("rename", "corp/user/jo/fs/etc/z", "here/z"), "NAME_NOT_FOUND")
        self.name("create", "here")
        self.assertEqual(
            self.code("rename", "corp/user/jo/fs/etc/z", "here/z"), "OPERATION_NOT_SUPPORTED"
        )
        stayed = None
        with self.assertRaises(CommandFailed) as caught:
            stayed = self.capsules.call(
                "naming.lookup", {"name": "corp/user/jo", "stay": True}, capsule="hub"
            )
        self.assertIn("CONTINUE", str(caught.exception))
        self.assertIn("resolved 'corp', remaining 'user/jo'", str(caught.exception))
        self.assertIsNone(stayed)
        self.name("attributes", "corp/user/jo/fs/etc/x", "--set", "colour=red")
        found = self.name("search", "--deep", "--where", "colour == 'red'")
        self.assertIn("corp/user/jo/fs/etc/x", found)
        self.name("bind", "back", "--next", "hub", capsule="four")
        self.assertEqual(
            self.name("search", "--deep", "--where", "colour == 'red'").count("etc/x "),
            1,
            "a ring is searched once",
        )
        self.kill("four")
        refused = self.capsules
        with self.assertRaises(CommandFailed) as caught:
            refused.hector(
                "--timeout-ms", "20000", "name", "lookup", "corp/user/jo/fs/etc/x", capsule="hub"
            )
        self.assertIn("CTX_UNAVAILABLE", str(caught.exception))
        self.assertIn("resolved 'corp/user/jo/fs', remaining 'etc/x'", str(caught.exception))

    def test_hops_are_counted(self):
        self.capsule("hub")
        self.name("bind", "me", "--next", "hub")
        self.assertIn("_management", self.name("lookup", "me/" * 32 + "capsules/hub"))
        self.assertEqual(self.code("lookup", "me/" * 33 + "capsules/hub"), "CONTINUE")

    def test_a_file_system(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "in", "side"))
            with open(os.path.join(folder, "in", "file"), "w", encoding="utf-8") as file:
                file.write("12345")
            os.symlink("/etc", os.path.join(folder, "out"))
            self.capsule("hub", f"file:{folder}")
            self.name("bind", "files", "--next", f"file:{folder}")
            self.assertEqual(self.names("files/in"), ["file", "side"])
            self.assertEqual(self.name("attributes", "files/in/file"), "size = 5")
            self.assertEqual(self.code("lookup", "files/../x"), "ILLEGAL_NAME")
            self.assertEqual(self.code("lookup", "files/out/passwd"), "CTX_NO_PERMISSION")
            self.assertEqual(self.code("lookup", "files/in/file/x"), "NOT_A_CONTEXT")
            self.assertEqual(self.code("lookup", "files/in/no/x"), "NAME_NOT_FOUND")
            self.assertEqual(
                self.code("bind", "files/new", "--address", "a=1"), "OPERATION_NOT_SUPPORTED"
            )
            self.name("bind", "etc", "--next", "file:/etc")
            self.assertEqual(self.code("lookup", "etc/passwd"), "CONFIGURATION_ERROR")

    @unittest.skipUnless(shutil.which("etcd"), "needs etcd")
    @needs("stores/etcd")
    def test_an_etcd_prefix(self):
        with Etcd() as etcd:
            self.capsule("hub", "etcd:")
            self.name("bind", "cluster", "--next", f"etcd://127.0.0.1:{etcd.port}/names")
            self.name("bind", "cluster/a/b", "--address", "value=hello", "--exclusive")
            self.assertEqual(
                self.code("bind", "cluster/a/b", "--address", "value=other", "--exclusive"),
                "NAME_IN_USE",
            )
            self.assertEqual(self.names("cluster/a"), ["b"])
            self.assertIn("value hello", self.name("lookup", "cluster/a/b"))
            self.name("unbind", "cluster/a/b")
            self.assertEqual(self.code("lookup", "cluster/a/b"), "NAME_NOT_FOUND")

    @unittest.skipUnless(shutil.which("dnsmasq"), "needs dnsmasq")
    def test_dns_and_its_service_discovery(self):
        port = free_port(socket.SOCK_DGRAM)
        self.capsule("hub", "dns:")
        self.capsule("two")
        self.name("bind", "-p", "deep/x", "--address", "a=1", capsule="two")
        with open(os.path.join(self.capsules.run, "two.reference"), "rb") as file:
            reference = file.read().decode().strip()
        records = [
            "--host-record=www.lab.example,10.1.2.3",
            "--ptr-record=_services._dns-sd._udp.lab.example,_ipp._tcp.lab.example",
            "--ptr-record=_ipp._tcp.lab.example,Front._ipp._tcp.lab.example",
            "--srv-host=Front._ipp._tcp.lab.example,www.lab.example,631,0,0",
            "--txt-record=Front._ipp._tcp.lab.example,Color=T,color=F,paper=,duplex,=odd",
            f"--txt-record=hector.lab.example,hector={reference[:200]}",
        ]
        dns = subprocess.Popen(
            [
                "dnsmasq",
                "--no-daemon",
                "--no-resolv",
                "--no-hosts",
                f"--port={port}",
                "--listen-address=127.0.0.1",
                "--bind-interfaces",
                "--conf-file=/dev/null",
                "--local=/example/",
                *records,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(lambda: (dns.kill(), dns.wait()))
        self.name("bind", "dns", "--next", f"dns://127.0.0.1:{port}/")
        deadline = time.monotonic() + 10
        while True:
            try:
                self.assertIn("inet 10.1.2.3", self.name("lookup", "dns/www.lab.example"))
                break
            except CommandFailed:
                self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.names("dns/lab.example"), ["_ipp._tcp"])
        self.assertEqual(
            [each.lower() for each in self.names("dns/_ipp._tcp.lab.example")], ["front"]
        )
        front = self.name("lookup", "dns/_ipp._tcp.lab.example/Front")
        self.assertIn("srv www.lab.example:631", front)
        self.assertEqual(
            self.name("attributes", "dns/_ipp._tcp.lab.example/Front").split("\n    "),
            ["color = T", "paper = ", "duplex"],
            "the first of a key counts, without case",
        )
        self.assertEqual(self.code("lookup", "dns/no.lab.example"), "NAME_NOT_FOUND")
        dns.kill()
        dns.wait()
        self.assertEqual(self.code("lookup", "dns/www.lab.example"), "CTX_UNAVAILABLE")


@needs(*NEEDED)
class LinksAcross(NamingTest):
    def test_say_how_far_they_came_in_the_other_naming_system(self):
        folder = os.path.join(self.capsules.folder, "files")
        os.makedirs(os.path.join(folder, "in"))
        self.capsule("hub", "file:")
        self.name("bind", "files", "--next", "file:" + folder)
        self.name("bind", "l", "--link", "files/in")
        self.assertIn("resolved 'l', remaining 'x'", self.refused("lookup", "l/x"))
        self.name("bind", "lost", "--link", "files/in/no/such")
        refused = self.refused("lookup", "lost/x")
        self.assertIn("LINK_ERROR", refused)
        self.assertIn("resolved '', remaining 'lost/x'", refused)
        self.assertIn("of the link's name resolved 'files/in', remaining 'no/such'", refused)


@needs(*NEEDED)
class WithoutCosNaming(NamingTest):
    def test_a_corbaname_says_what_was_not_built(self):
        """A plugin's folder as it is where the library beside it was not built."""
        own = os.path.join(self.capsules.build, "lib", "hector", "services", "naming")
        place = os.path.join(self.capsules.folder, "plugins", "services", "naming")
        os.makedirs(place)
        for each in ("naming.so", "plugin.yaml"):
            shutil.copy(os.path.join(own, each), place)
        self.capsules.environment["HECTOR_PLUGIN_PATH"] = os.path.dirname(os.path.dirname(place))
        self.capsule("hub", "corbaname:")
        self.name("bind", "corba", "--next", "corbaname::127.0.0.1:1")
        refused = self.refused("lookup", "corba/x")
        self.assertIn("was not built", refused)
        self.assertIn("tools/build release naming_cos_naming", refused)

    def test_the_plugin_is_built_with_it(self):
        """So that the demo's build has it."""
        ninja = os.path.join(self.capsules.build, "build.ninja")
        if not os.path.exists(ninja) or not shutil.which("ninja"):
            self.skipTest("it was not built here")
        told = subprocess.run(
            [
                "ninja",
                "-C",
                self.capsules.build,
                "-t",
                "query",
                "lib/hector/services/naming/naming.so",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.assertIn("lib/hector/services/naming/cos_naming.so", told)


@needs(*NEEDED)
@unittest.skipUnless(shutil.which("omniNames") and shutil.which("nameclt"), "needs omniNames")
class CosNaming(NamingTest):
    def setUp(self):
        super().setUp()
        port = free_port()
        folder = tempfile.mkdtemp(prefix="hector-omninames-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.omni = subprocess.Popen(
            [
                "omniNames",
                "-start",
                str(port),
                "-logdir",
                folder,
                "-ORBendPoint",
                f"giop:tcp:127.0.0.1:{port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(lambda: (self.omni.kill(), self.omni.wait()))
        self.url = f"corbaname::127.0.0.1:{port}"
        self.capsule("hub", "corbaname:")
        self.name("bind", "corba", "--next", self.url)
        self.ior = f"corbaloc::127.0.0.1:{port}/NameService"
        deadline = time.monotonic() + 10
        while True:
            try:
                self.names("corba")
                break
            except CommandFailed:
                self.assertLess(time.monotonic(), deadline)

    def nameclt(self, *arguments):
        return subprocess.run(
            ["nameclt", "-ORBInitRef", f"NameService={self.ior}", *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_n9_a_live_omninames_as_a_subtree_with_its_refusals(self):
        self.name("create", "corba/lab")
        self.name("bind", "corba/lab/printer.device", "--address", f"corba.ior={self.ior}")
        self.assertIn("printer.device", self.nameclt("list", "lab"), "another client sees it")
        self.nameclt("bind_new_context", "lab/theirs")
        self.assertEqual(self.names("corba/lab"), ["printer.device", "theirs"])
        self.assertIn("corba.ior IOR:", self.name("lookup", "corba/lab/printer.device"))
        self.name("bind", "plain", "--address", "a=1")
        self.name("create", "lab")
        self.name("bind", "lab/printer.device", "--address", "a=1")
        self.name("bind", "lab/object", "--address", "a=1")
        self.name("bind", "corba/lab/object", "--address", f"corba.ior={self.ior}")
        for place in (
            "corba/lab",
            "lab",
        ):  # the same refusals from omniNames and from our own contexts
            self.assertIn("NAME_NOT_FOUND", self.refused("lookup", f"{place}/missing"))
            self.assertIn("remaining 'missing'", self.refused("lookup", f"{place}/missing"))
            self.assertIn(
                "NAME_IN_USE",
                self.refused(
                    "bind",
                    f"{place}/printer.device",
                    "--address",
                    f"corba.ior={self.ior}",
                    "--exclusive",
                ),
            )
            self.assertIn("CTX_NOT_EMPTY", self.refused("destroy", place))
            self.name("unbind", f"{place}/missing")
        self.assertIn("NOT_A_CONTEXT", self.refused("lookup", "lab/object/x"))
        self.assertIn(
            "ILLEGAL_NAME", self.refused("bind", "corba/", "--address", f"corba.ior={self.ior}")
        )
        self.assertIn(
            "OPERATION_NOT_SUPPORTED", self.refused("bind", "corba/x", "--address", "a=1")
        )
        self.omni.kill()
        self.omni.wait()
        refused = self.refused("lookup", "corba/lab/printer.device")
        self.assertIn("CTX_UNAVAILABLE", refused)
        self.assertIn("resolved 'corba', remaining 'lab/printer.device'", refused)

    def is_context(self, name):
        try:
            return "(hector.context)" in self.name("lookup", name)
        except CommandFailed:
            return False

    def test_random_operations_end_the_same_way_in_omninames_and_in_our_own_contexts(self):
        server = os.path.join(
            self.capsules.build, "bench", "omniorb"
        )  # an object that is no context
        if not os.path.exists(server):
            self.skipTest("needs omniidl")
        echo = subprocess.Popen([server, "serve"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (echo.kill(), echo.wait(), echo.stdout.close()))
        nobody = echo.stdout.readline().strip()
        import random

        seed = int(os.environ.get("HECTOR_SEED", random.randrange(2**32)))
        chance = random.Random(seed)
        self.name("create", "own")
        self.name("create", "corba/own")
        atoms = ["a", "b", "c.k"]
        paths = [f"{x}" for x in atoms] + [f"{x}/{y}" for x in atoms for y in atoms]
        outcomes = {"NAME_NOT_FOUND", "NAME_IN_USE", "CTX_NOT_EMPTY", "NOT_A_CONTEXT", "ok"}
        seen = set()
        for _ in range(int(os.environ.get("HECTOR_ROUNDS", 60))):
            what = chance.choice(
                ["lookup", "bind", "bind", "create", "create", "unbind", "destroy"]
            )
            path = chance.choice(paths)
            if what == "unbind" and self.is_context(f"own/{path}"):
                # CosNaming unbinds contexts with all that is in them; here they are destroyed, when
                # they are empty
                continue
            results = []
            for place, address in (("own", "a=1"), ("corba/own", f"corba.ior={nobody}")):
                arguments = [what, f"{place}/{path}"] + (
                    ["--address", address, "--exclusive"] if what == "bind" else []
                )
                try:
                    self.name(*arguments)
                    results.append("ok")
                except CommandFailed as failed:
                    results.append(failed.text.split(": ")[2])
            if what == "destroy" and results == ["ok", "NAME_NOT_FOUND"]:
                continue  # XFN: well if it is not there
            self.assertEqual(results[0], results[1], f"{what} {path}, HECTOR_SEED={seed}")
            self.assertIn(results[0], outcomes)
            seen.add(results[0])
        self.assertGreaterEqual(len(seen), 2)


if __name__ == "__main__":
    unittest.main()
