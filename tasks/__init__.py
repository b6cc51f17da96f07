"""The public steps, each a Prefect task; `steps/` does the work behind them, `session/` is what a process shares."""
