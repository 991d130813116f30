"""Redis: the keys, the one atomic step that writes, and the reads. The only importer of redis."""
