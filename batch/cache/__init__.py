"""Results that were computed before: in memory, on this machine's disk, and in a Redis where there is one.

A `key` names what a result depends on. The levels (`memory`, `disk`, `runtime.redis_level`) hold bytes, each within its
bounds, and the `results` are what these bytes mean. Whatever a level does, it makes no wrong result: at worst there is
none.
"""
