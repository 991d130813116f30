"""`watchroom doctor`: checks a deployment and says what is wrong, why it matters and what to do.

In come the settings. `ask_*` gather facts from the servers that they name, and change nothing there; `*_checks` are
pure and turn facts into findings; `checks` lists every check. Out goes a list of findings.

It may import every package but the commands: it looks at all of them.
Start reading at `examine`.
"""
