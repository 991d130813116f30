"""`make bench`: what the worker costs, compared with the floor and a plain Faust agent, on the real servers.

Never a test: a machine that is busy otherwise makes a figure worse, and nothing fails.
"""
