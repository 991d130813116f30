"""The catalogue: every measure, read from `schemas/measures/*.toml` and checked.

In: TOML. Out: `Catalogue` with its measures and areas, the list of all metrics, and every fault at once with what to
write instead. It reads its files and is pure otherwise. It may import `kinds`, `streams`, `rolling` and `events`.

Start with `entry` (the keys of an entry), then `load` (how an entry becomes a measure), `checks`
and `display_checks` (what can be wrong).
"""
