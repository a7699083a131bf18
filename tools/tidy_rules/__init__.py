"""The table of tidy's rules.

What: RULES, in the order in which they are reported.
Why: a rule is an entry with its reason, its check and the faults that it is proved by.
Who: tools/tidy.py.
"""

from tidy_rules import code, dead, graph, manifests, names, text

RULES = (*graph.RULES, *names.RULES, *manifests.RULES, *code.RULES, *text.RULES, *dead.RULES)
