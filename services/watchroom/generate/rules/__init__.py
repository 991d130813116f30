"""Makes the Prometheus rules, their `promtool` tests and the runbooks from the catalogue.

In: the alerts of measures and of the platform. Out: `deploy/prometheus/rules`, `tests/alerts` and `deploy/runbooks`. It
may import `generate` and what that may import.

Start with `alerts` (one rule from one alert), then `wording` (its texts), `cases` (its tests) and `runbooks`.
"""
