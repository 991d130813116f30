"""`watchroom doctor`: checks a deployment and says what is wrong, why it matters and what to do.

In: the settings. `kafka_facts`, `redis_facts` and `pages` gather facts from the servers that they name, and change
nothing there. `*_checks` are pure and turn facts into findings, whose texts are in `*_findings.toml`. Out: a list of
findings.

It may import every package but the commands, because it looks at all of them. Start reading at `examine`.
"""
