"""Events that we send ourselves: text files through a mapping, simulated forces, the demo; and the embedded servers.

In: CSV files with a mapping, or a seed. Out: events in Kafka, and a summary of what was read, skipped and refused.
It may import `kafka`, `store`, `settings` and everything below; worker and exporter run as processes of their own.

Start with `command` (the whole of `watchroom replay`), then `mapping_model` (what a mapping may say), `rows` and
`convert` (rows to events). The demo starts in `demo`, the servers in `stack`.
"""
