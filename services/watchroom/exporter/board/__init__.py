"""The built-in page: the wall, the list behind each tile, and the explanation of each measure, as HTML.

In: the exporter's copy of Redis and the catalogue. Out: pages in which every text of a feed or an entry is escaped.
It may import `exporter` and what that may import.

Start with `pages` (the table of paths), then `board_page` (the page at `/`); what it shows is in `exporter.wall`.
"""
