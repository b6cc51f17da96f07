"""What people see of a run: its name, state, progress, artifacts, events, gallery and shared pages.

`progress` and `happenings` are the news that displays listen to; `in_prefect` loads the rest only if there is a flow
run. No video depends on anything here: an error is logged, and the run goes the same way. Pages and texts are rendered
in `together_video/gallery/`; the display of a terminal is in `flows/cli/screen/`.
"""
