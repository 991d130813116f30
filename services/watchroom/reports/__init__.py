"""What analysts read: months, restatements, baselines and the published report.

In: months and figures from Redis, and `schemas/report.toml`. Out: rows as table, JSON, CSV, HTML or workbook; JSON and
CSV have the numerator and denominator of every share. It never writes to Redis. It may import `store`, `settings` and
everything below, but no process.

Start with `months` (rows of a month), then `read_report` and `report` (the published report), and `output` (forms).
"""
