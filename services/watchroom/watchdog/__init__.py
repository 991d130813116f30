"""Notices that alerts no longer arrive, and alerts through a fallback channel.

In: the `Watchdog` alert, which always fires, from Alertmanager. Out: a message to a webhook or a command once
it has been missing for too long. It must work while everything else is down, so it needs neither Kafka nor Redis. It
may import `timing`, `settings` and everything below.

Start with `run` (the process), then `silence` (when it has been too long) and `channels` (the channels).
"""
