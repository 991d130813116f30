"""Writes every derived file: schemas, documents, reference pages, boards, alert rules, runbooks.

In: the models, the catalogue and the settings. Out: files that are committed, so that a review shows what a change does
to them. `watchroom generate --check` compares them. The only package that imports the Grafana SDK; it may import
`settings` and everything below, but no process.

Start with `outputs`: a table of every file and the function that makes it.
"""
