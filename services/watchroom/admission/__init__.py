"""Decides which Kafka records are events that count, and why the others are refused.

In: raw records of one stream. Out: events, or refusals with a reason and a sentence for a person. The decision depends
on the record alone, so a replay refuses the same ones. Pure: no I/O, no clock. It may import `catalogue` and
everything below.

Start with `admit` (the whole decision), then `parse` (bytes to an event) and `refusal` (what to say).
"""
