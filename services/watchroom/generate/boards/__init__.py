"""Makes the Grafana dashboards from the catalogue.

In: measures, tiles and alerts. Out: the JSON files in `grafana/dashboards`. A panel shows NO DATA rather than an old
figure, and has a unit, a description and links. It may import `generate` and what that may import.

Start with `files` (the list of boards), then `board` (layout), `sections` (what is shown of a measure),
`measure_panels` and `panels` (one panel). Tests check every board against the rules in `tests/generate/boards/lint`.
"""
