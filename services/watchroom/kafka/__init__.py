"""Connections to Kafka: every client is made here, with its address, TLS and credentials.

In: the settings `WATCHROOM_KAFKA_*`. Out: clients of aiokafka, or an error that names the setting to look at. Before a
client connects, `login` tries the login, because aiokafka only logs a refusal. Also the topics that we own, with
their settings. It may import `tls`, `settings` and everything below.

Start with `clients`, then `topics` and `topic_settings`, and `login`.
"""
