"""A live performance monitor for police control rooms.

In: events from Kafka, and the catalogue in `schemas/measures`. Out: figures in Redis, metrics, pages, boards, alert
rules and reports. Each package has one job; imports run downwards only, and the import contract in `pyproject.toml`
checks that.

Start with `docs/architecture.md`. In the code, follow one event: `intake`, `admission`, `fold`, `store`, `exporter`.
"""
