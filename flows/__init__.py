"""The Prefect flows: `batch`, `video`, `film`, `part`, `inbox`, `collect`, `audit` and `spend`, one per file.

Only flows and the parameters that they share are at this level; `__main__.py` runs the command line of `cli/`.
`engine/` runs a flow's steps, `forms/` shapes its form, `reporting/` makes states, artifacts, events; `server/` talks
to Prefect's server, and `checkup/` checks the environment. No flow calls the Together API or the archive by itself:
that is done by `tasks/` and `blocks/`. Rules without Prefect are in `together_video/`.
"""
