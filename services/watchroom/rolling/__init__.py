"""Time as arithmetic: buckets, windows, bins for percentiles, and the reporting calendar.

In: times in milliseconds and a zone. Out: the bucket of a moment, the buckets of a window, months with their ends, and
the same local hour of earlier weeks over clock changes. Pure: no clock, no I/O. It may import `events` only.

Start with `buckets` and `windows`, then `calendar` (days and months of the reporting zone) and `bins`.
"""
