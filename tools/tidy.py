#!/usr/bin/env python3
"""The facts about this tree that need no judgement, as a test.

What: runs the rules of tools/tidy_rules over every tracked file; `--self-test` plants one fault at
a time and wants exactly its rule to report it; `--list` shows the rules, `--rule NAME` runs one.
Why: style is a test, not a memory. What needs judgement is measured by tools/measure.
Who: ctest (tidy, tidy_self_test); people before a commit.
"""

import argparse
import sys

sys.dont_write_bytecode = True

from tidy_rules import RULES  # noqa: E402
from tidy_rules.tree import Tree  # noqa: E402


def breaches_of(tree, rules):
    return [(rule, breach) for rule in rules for breach in rule.check(tree)]


def run(tree, rules):
    found = breaches_of(tree, rules)
    for rule, breach in found:
        print(f"{breach} [{rule.name}]")
    print(f"tidy: {len(tree.files)} files, {len(rules)} rules, {len(found)} breaches")
    return 1 if found else 0


def mistake_of(tree, clean, rule, fault):
    """What is wrong with what the rules say about the planted fault; None: nothing."""
    try:
        planted = tree.changed(fault.plant(tree))
    except LookupError as error:
        return f"cannot be planted: {error}"
    found = [(r.name, b) for r, b in breaches_of(planted, RULES)]
    new = [(name, str(b)) for name, b in found if (name, b.path, b.what) not in clean]
    others = sorted({name for name, _ in new} - {rule.name, *fault.also})
    if not new or rule.name not in {name for name, _ in new}:
        return "is not reported" + (f", but by {', '.join(others)}: {new[0][1]}" if others else "")
    if others:
        text = next(text for name, text in new if name == others[0])
        return f"is reported by {', '.join(others)} as well: {text}"
    if not any(fault.says in text for _, text in new):
        return f"does not say '{fault.says}': {new[0][1]}"
    return None


def self_test(tree, rules):
    there = breaches_of(tree, RULES)
    clean = {(rule.name, breach.path, breach.what) for rule, breach in there}
    wrong = count = 0
    for rule in rules:
        if not rule.faults:
            print(f"{rule.name}: has no planted fault")
            wrong += 1
        for fault in rule.faults:
            count += 1
            if (mistake := mistake_of(tree, clean, rule, fault)) is not None:
                print(f"{rule.name}: '{fault.name}' {mistake}")
                wrong += 1
    for rule, breach in there:
        print(f"the tree without a fault: {breach} [{rule.name}]")
    print(f"tidy: {len(rules)} rules, {count} faults planted, {count - wrong} caught")
    return 1 if wrong or clean else 0


def main():
    parser = argparse.ArgumentParser(description="checks the tree's invariants")
    parser.add_argument(
        "--self-test", action="store_true", help="plants faults and wants them caught"
    )
    parser.add_argument("--list", action="store_true", help="shows the rules")
    parser.add_argument("--rule", action="append", help="only this rule; may be repeated")
    options = parser.parse_args()
    rules = [rule for rule in RULES if not options.rule or rule.name in options.rule]
    if not rules:
        parser.error(f"there is no such rule; there are {', '.join(rule.name for rule in RULES)}")
    if options.list:
        for rule in rules:
            print(f"{rule.name:18} {rule.why} ({len(rule.faults)} faults)")
        return 0
    tree = Tree.tracked()
    return self_test(tree, rules) if options.self_test else run(tree, rules)


if __name__ == "__main__":
    sys.exit(main())
