"""From events to what they add to which measure.

In: the admitted events of one batch of one partition, and the states of their entities. Out: everything that one atomic
step writes. What is written is the difference of what an entity adds before and after, so an event that is repeated
adds nothing. Pure: no clock, no I/O. It may import `catalogue` and everything below.

Start with `batch` (one batch), then `contributions` (what one entity adds to all measures).
"""
