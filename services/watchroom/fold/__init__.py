"""From events to what they add to which measure. Pure: no clock, no I/O.

A stream (`watchroom.streams`) folds an event into an entity's state and reads facts from it;
`contributions.Contributor` says what a state adds; `batch.fold_batch` does both for a batch of one
partition and returns what one atomic step writes.
"""
