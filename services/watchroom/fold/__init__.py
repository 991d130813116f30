"""Turns events into changes of measures.

In: the admitted events of one batch of one partition, and the states of their entities. Out: everything that one atomic
step writes. That is the difference of what each entity contributes before and after, so a repeated event changes
nothing. Pure: no clock, no I/O. It may import `catalogue` and everything below.

Start with `batch` (one batch), then `contributions` (what one entity contributes to all measures).
"""
