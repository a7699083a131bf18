"""Marks on methods: what is an event, what another HERO's, what is not shared, what is shared
although it is private.

What: the marks' names, and functions that set them and ask for them.
Why: HEROS shares what inspection finds, less what is marked.
Who: LocalHERO, programs written for HEROS.
"""

HERO_EVENT_ATTRIBUTE = "hero_event"
HERO_METHOD_ATTRIBUTE = "hero_method"
LOCAL_ONLY_ATTRIBUTE = "local_only"
FORCE_REMOTE_ATTRIBUTE = "force_remote"


def _marker(name):
    def mark(func):
        setattr(func, name, True)
        return func

    return mark


def _question(name):
    def is_marked(func):
        return getattr(func, name, False)

    return is_marked


mark_hero_event, is_hero_event = _marker(HERO_EVENT_ATTRIBUTE), _question(HERO_EVENT_ATTRIBUTE)
mark_hero_method, is_hero_method = _marker(HERO_METHOD_ATTRIBUTE), _question(HERO_METHOD_ATTRIBUTE)
local_only = mark_local_only = _marker(LOCAL_ONLY_ATTRIBUTE)
is_local_only = _question(LOCAL_ONLY_ATTRIBUTE)
force_remote = mark_force_remote = _marker(FORCE_REMOTE_ATTRIBUTE)
is_force_remote = _question(FORCE_REMOTE_ATTRIBUTE)
