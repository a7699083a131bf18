"""Programs of other projects that the tests run: installed once, below the build folder, with
pinned versions.

What: Go programs by `go install`, Python packages in a venv, zenohd by cargo.
Why: a Hector Object is called by unmodified clients.
Who: the tests beside it.
"""

import hashlib
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACE = os.path.join(ROOT, "build", "outside")
GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4"
INTEROP_CLIENT = "google.golang.org/grpc/interop/client@v1.85.0"
WHEELS = (
    "grpcio==1.85.1",
    "grpcio-reflection==1.85.1",
    "eclipse-zenoh==1.10.2",
    "icalendar==7.3.0",
    "recurring-ical-events==3.8.2",
)
CEDAR = ("cedarpy==4.8.1",)
AGE = "filippo.io/age/cmd/age@v1.3.2"
ZENOHD = "1.10.2"


def _run(command, **environment):
    done = subprocess.run(
        command, env=dict(os.environ, **environment), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


def go_program(module):
    """The path of a Go program."""
    name = module.split("@")[0].rsplit("/", 1)[-1]
    place = os.path.join(PLACE, "go", module.split("@")[1])
    path = os.path.join(place, name)
    if not os.path.exists(path):
        _run(["go", "install", module], GOBIN=place, GOFLAGS="-mod=mod")
    return path


def _venv(name, wheels):
    place = os.path.join(PLACE, name)
    path = os.path.join(place, "bin", "python")
    stamp = os.path.join(
        place, "installed-" + hashlib.sha256(repr(wheels).encode()).hexdigest()[:12]
    )
    if not os.path.exists(stamp):
        _run(["/usr/bin/python3.11", "-m", "venv", place])
        _run([path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wheels])
        open(stamp, "w").close()
    return path


def python():
    """An interpreter with the wheels."""
    return _venv("venv", WHEELS)


def cedar():
    """An interpreter with Cedar."""
    return _venv("cedar", CEDAR)


def heros(version):
    """An interpreter with the real HEROS of a version."""
    return _venv("heros-" + version, (f"heros=={version}", "numpy==2.4.6"))


def heros_source(version):
    """The folder of HEROS' own source distribution, with its documented examples."""
    place = os.path.join(PLACE, "heros-source")
    path = os.path.join(place, f"heros-{version}")
    if not os.path.exists(path):
        os.makedirs(place, exist_ok=True)
        _run(
            [
                heros(version),
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--no-binary",
                "heros",
                f"heros=={version}",
                "--dest",
                place,
            ]
        )
        _run(["tar", "xzf", path + ".tar.gz", "-C", place])
    return path


def zeromq():
    """An interpreter with Hermes, majortomo and pyzmq."""
    return _venv(
        "zeromq", ("hermes-zmq==1.3.0", "majortomo==0.2.0", "six==1.17.0", "pyzmq==27.1.0")
    )


def privacy():
    """An interpreter with Tink and rage."""
    return _venv("privacy", ("tink==1.16.1", "pyrage==1.4.0", "cryptography==50.0.2"))


def zenohd():
    """The zenoh router."""
    place = os.path.join(PLACE, "zenohd")
    path = os.path.join(place, "bin", "zenohd")
    if not os.path.exists(path):
        cargo = os.path.expanduser("~/.cargo/bin/cargo")
        _run(
            [
                cargo if os.path.exists(cargo) else "cargo",
                "install",
                "zenohd",
                "--version",
                f"={ZENOHD}",
                "--locked",
                "--root",
                place,
            ],
            CARGO_TARGET_DIR=os.path.join(PLACE, "zenohd-build"),
        )
    return path


def npm_program(package, version, name):
    """A program of an npm package."""
    place = os.path.join(PLACE, "npm", f"{name}-{version}")
    path = os.path.join(place, "node_modules", ".bin", name)
    if not os.path.exists(path):
        os.makedirs(place, exist_ok=True)
        _run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", place, f"{package}@{version}"]
        )
    return path


def buf():
    """Buf's command line, whose verdicts ours are compared with."""
    return npm_program("@bufbuild/buf", "1.47.2", "buf")
