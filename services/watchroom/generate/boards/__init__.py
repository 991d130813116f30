"""Makes the Grafana dashboards from the catalogue, and checks them.

In: measures, tiles and alerts. Out: the JSON files in `grafana/dashboards`. A panel shows NO DATA rather than an old
figure, and has a unit, a description and links. It may import `generate` and what that may import.

Start with `files` (the list of boards), then `board` (layout), `maker` and `panels` (one panel), and `sections` (what
is shown of a measure). The rules that every board keeps are in `tests/generate/boards/lint`.
"""
