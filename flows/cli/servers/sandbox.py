"""`together-video sandbox`: run the stand-in for the API on this machine."""

from __future__ import annotations

from prefect_together_video.flows.cli.given_path import GivenPath, refuse_unreadable


def sandbox(
    *,
    port: int = 8765,
    host: str = "127.0.0.1",
    config: GivenPath | None = None,
    state_dir: GivenPath | None = None,
) -> int:
    """Run a stand-in for the Together API until Ctrl-C. It renders real videos and charges nothing.

    Parameters
    ----------
    port
        Port to listen on; 0 for a free one.
    host
        Address to listen on.
    config
        JSON file with the sandbox's settings and faults.
    state_dir
        Folder for the jobs, so that they survive a restart.
    """
    if config is not None:
        refuse_unreadable(config)
    from together_video.sandbox.config import SandboxConfig
    from together_video.sandbox.server import serve

    settings = SandboxConfig.load(config) if config else SandboxConfig()
    if not {"price", "prices"} & settings.model_fields_set:
        settings = settings.model_copy(update={"catalogue_prices": True})
    if state_dir is not None:
        settings = settings.model_copy(update={"state_dir": state_dir})

    def announce(line: str) -> None:
        address = line.rsplit(" ", 1)[-1]
        print(  # noqa: T201 - the result
            f"{line}\nUse it with: TOGETHER_BASE_URL={address} TOGETHER_API_KEY=any-key VIDEO_ARCHIVE_FOLDER=videos "
            "together-video …",
            flush=True,
        )

    serve(settings, host, port, announce=announce)
    return 0
