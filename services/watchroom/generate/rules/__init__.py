"""Makes the Prometheus rules and the runbooks from the catalogue.

In: the alerts of measures and of the platform. Out: `deploy/prometheus/rules` and `deploy/runbooks`. It may
import `generate` and what that may import.

Start with `alerts` (one rule from one alert), then `wording` (its texts) and `runbooks`.
"""
