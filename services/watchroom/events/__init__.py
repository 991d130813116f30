"""What an event is, before anything is known about streams: envelope, times, keys, tokens and reasons of refusal.

In: bytes and texts. Out: typed parts of events, partitions, normalised times and tokens. Pure: no I/O, no clock. It
may import `errors` only, so every other package may use it.

Start with `record` (what travels from Kafka to the fold), then `envelope` (the fields that every event has).
"""
