"""How often would the shipped rules have paged in a month? Prometheus itself answers.

In: a simulated month of events. Out: every time an alert would have fired, with its figure. It needs the exporter's
figures and the simulator, and is the one package that may import processes.

Read in this order: `run` (the whole), `rules` (what Prometheus reads from the rule files), `selectors`
(which series they ask for), `room` (a month of events folded as a worker folds them), `figures` and
`healthy` (what an exporter would publish at each step), `blocks` and `prometheus` (the real one, over
that history), `firing` (`for` and `keep_firing_for`), `judge` (the firings of a month), `output`.
"""
