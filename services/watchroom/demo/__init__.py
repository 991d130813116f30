"""The demo, and the servers and processes that it and `watchroom replay` run on this machine.

In: settings, and a simulated force. Out: a broker, a store, a worker and an exporter as child processes, and the
measures in the terminal. Child processes end with the process that started them. It may import `simulator`, `kafka`,
`store`, `settings` and everything below; worker and exporter run as processes of their own.

Start with `command` (`watchroom demo`), then `stack` (what it runs on) and `server` (one child process).
"""
