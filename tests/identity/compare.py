"""`hector identity check` beside go-spiffe on the files of tests/system/identity_cases.py.

What: writes the files as of now, asks both, prints how many verdicts agree and each that does not.
Why: rules that were read wrongly are read wrongly in their tests as well.
Who: people: `python3 tests/identity/compare.py`; it needs go and installs go-spiffe below build/.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "system"), os.path.join(ROOT, "tools")]

import identity_files  # noqa: E402

identity_files.NOW = int(time.time())  # go-spiffe judges tokens as of now

import identity_cases  # noqa: E402

VERSION = "v2.9.0"
PLACE = os.path.join(ROOT, "build", "outside", "go-spiffe-" + VERSION)
HECTOR = os.path.join(
    os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release"), "bin", "hector"
)


def other_judge():
    program = os.path.join(PLACE, "judge")
    os.makedirs(PLACE, exist_ok=True)
    with open(os.path.join(ROOT, "tests", "identity", "judge.go"), encoding="utf-8") as source:
        with open(os.path.join(PLACE, "main.go"), "w", encoding="utf-8") as copy:
            copy.write(source.read())
    for command in (
        *([["go", "mod", "init", "judge"]] if not os.path.exists(f"{PLACE}/go.mod") else []),
        ["go", "get", f"github.com/spiffe/go-spiffe/v2@{VERSION}"],
        ["go", "mod", "tidy"],
        ["go", "build", "-o", program],
    ):
        subprocess.run(command, cwd=PLACE, check=True, stderr=subprocess.DEVNULL)
    return program


def ours(case, trust):
    options = [
        part
        for name, files in trust.items()
        for file in files
        for part in ("--trust", f"{name}={file}")
    ]
    if case.audience is not None:
        options += ["--audience", case.audience]
    done = subprocess.run(
        [HECTOR, "identity", "check", *options, "--at", case.at, case.file],
        capture_output=True,
        check=False,
    )
    line = json.loads(done.stdout)
    return line.get("principal") or line["error"]


def main():
    world, groups = identity_cases.all_cases()
    cases = [case for group in groups.values() for case in group]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in world.bundles.items():
            with open(os.path.join(folder, f"{name}.bundle"), "w", encoding="utf-8") as file:
                file.write(text)
        questions = []
        for number, case in enumerate(cases):
            case.file = os.path.join(folder, f"case {number}")
            with open(case.file, "wb") as file:
                file.write(case.content)
            trust = collections.defaultdict(list)
            for each in case.trust:
                name, bundle = each.split("=")
                trust[name].append(os.path.join(folder, f"{bundle}.bundle"))
            questions.append((case, trust))
        asked = "".join(
            json.dumps(
                {"file": case.file, "trust": trust, "at": case.at, "audience": case.audience}
            )
            + "\n"
            for case, trust in questions
        )
        theirs = subprocess.run(
            [other_judge()], input=asked, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        agreed = 0
        for (case, trust), other in zip(questions, theirs):
            mine = ours(case, trust)
            if mine == other or (not mine.startswith("spiffe") and other.startswith("refused")):
                agreed += 1
            else:
                print(f"{case.name[:60]}: hector {mine[:60]}, go-spiffe {other[:60]}")
    print(f"{agreed} of {len(cases)} verdicts agree")


if __name__ == "__main__":
    main()
