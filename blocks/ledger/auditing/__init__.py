"""Verifying an archive: records, files, media, films, spending and the index, in constant memory.

`book` has the tables on disk that everything is joined in, `listing` fills them, and `verification`, `films` and
`unfinished` find problems; `index` repairs the index. Findings are reported, not fixed. The flow that runs an audit is
`flows/engine/audit_run.py`.
"""
