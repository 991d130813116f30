"""The worker: Kafka in, Redis out. Also the rebuild and the dead letters.

In: record batches of the partitions that this worker owns. Out: one atomic step in Redis for each batch, and dead
letters. It continues from the offset in Redis, never from Kafka's. The only package that imports Faust; it may import
`kafka`, `store`, `settings` and everything below, but no other process.

Start with `worker` (the process), then `intake` (from fetch to Redis), `partition` (one batch), `assignment` (what the
consumer group gives us) and `assigned_partition` (the states of a partition). `faust_app` and `fetching` use private
names of Faust and aiokafka.
"""
