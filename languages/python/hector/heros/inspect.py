"""Marks on methods: what is not shared, what is shared although it is private.

What: local_only, force_remote.
Why: HEROS shares what inspection finds, less what is marked.
Who: LocalHERO, programs written for HEROS.
"""


def _marker(name):
    def mark(function):
        setattr(function, name, True)
        return function

    return mark


local_only = _marker("local_only")
force_remote = _marker("force_remote")


def is_local_only(function):
    return getattr(function, "local_only", False)


def is_force_remote(function):
    return getattr(function, "force_remote", False)


def is_hero_event(member):
    return getattr(member, "hero_event", False)
