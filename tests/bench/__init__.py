"""`make bench`: what the worker costs, beside the floor and a plain Faust agent, in one run on the real servers.

Never a test: a machine that is busy otherwise makes a figure worse, and nothing fails.
"""
