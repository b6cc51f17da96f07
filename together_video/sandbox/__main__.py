"""`python -m together_video.sandbox`: the sandbox alone, without Prefect."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from together_video.errors import ConfigurationError
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import DEFAULT_PORT, serve


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped. Exit code 2 if the configuration or the port does not work."""
    parser = argparse.ArgumentParser(prog="python -m together_video.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port to listen on; 0 picks a free one"
    )
    parser.add_argument("--config", type=Path, help="JSON file with the settings of SandboxConfig")
    parser.add_argument("--state-dir", type=Path, help="folder for the journal, to keep jobs over a restart")
    options = parser.parse_args(arguments)
    try:
        config = SandboxConfig.load(options.config) if options.config else SandboxConfig()
        if options.state_dir:
            config = config.model_copy(update={"state_dir": options.state_dir})
        serve(config, options.host, options.port)
    except ConfigurationError as ex:
        sys.stderr.write(f"{ex}\n")
        return ex.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
