"""The command line `together-video`: a module for each command, which `flows/__main__.py` imports when it is called.

Here are options and their help texts, the question before a purchase, output, and exit codes. Larger groups have
their own packages: `films`, `finding`, `galleries`, `servers`, and `screen` for what the terminal shows.
Not here: what a run does. That is in `flows/engine` and in the tasks, which other flows use as well.
"""
