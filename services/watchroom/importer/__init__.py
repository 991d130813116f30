"""Imports files: rows of CSV files and workbooks become events through a mapping.

In: CSV files or workbooks with a mapping (`schemas/mappings/*.toml`), or a CSV of figures. Out: events in Kafka, and a
summary of what was read, skipped and refused. It may import `demo` (for the local stack), `kafka`, `store`, `settings`
and everything below.

Start with `command` (the whole of `watchroom replay`), then `mapping_model` (the keys of a mapping), `rows` and
`convert` (rows to events).
"""
