"""Publishes what Redis holds: `/metrics` for Prometheus, `/healthz`, and the lists that commands print.

In: changed buckets and open sets, read once a second. Out: window sums as gauges, but only of streams that are fresh
and alive. It never writes to Redis. It may import `store`, `settings` and everything below, but no other process.

Start with `mirror` (the copy of Redis in memory), then `sums` (windows), `freshness` (which streams may be shown),
`numbers` and `wall` (what tiles and tables show) and `page` (the text of a scrape). The built-in page is in
`exporter.board`.
"""
