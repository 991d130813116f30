"""Connections to Kafka: every client is made here, with its address, TLS and credentials.

In: the settings `WATCHROOM_KAFKA_*`. Out: clients of aiokafka, or an error that names the setting to look at. Before
a client connects, the broker is asked whether it accepts us, because aiokafka only logs a refusal. It may import `tls`,
`settings` and everything below.

Start with `clients`, then `asking` (what the broker answers) and `security`.
"""
