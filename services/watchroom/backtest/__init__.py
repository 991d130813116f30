"""Back-test: how often the shipped rules would have paged in a month, evaluated by Prometheus itself.

In: a simulated month of events. Out: every time an alert would have fired, with its figure. It needs the exporter's
figures and the simulator, and is the one package that may import processes.

Start with `run` (the whole), then `rules` (what Prometheus reads from the rule files), `selectors` (which series they
need), `simulated_store` (a month of events folded as a worker folds them), `figures` and `healthy` (what an exporter
would publish at each step), `blocks` and `prometheus` (the real one, over that history), `firing` (how long a condition
must hold), `evaluate` (the firings of a month) and `output`.
"""
