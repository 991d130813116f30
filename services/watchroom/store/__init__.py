"""Redis: the keys, the one atomic step that writes, and the reads. The only importer of redis.

In: a batch of one partition, folded. Out: states, buckets, open sets, restatements and the next offset, all of them or
none. Reads serve the exporter, reports and commands. It may import `tls`, `settings` and everything below.

Start with `keys` (everything that Redis holds), then `step` and `step.lua` (the atomic step), `write` (the worker's
side) and `read`.
"""
