"""The form of Prefect's UI that makes another take of a video: found once for all links of a page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from prefect.utilities.urls import url_for

from prefect_together_video.tasks.running.runs import run_logger
from together_video.gallery.redo import RedoForm, redo_links
from together_video.ledger.records import VideoPlan

#: The deployment that makes one video.
DEPLOYMENT = "generate-video/on-demand"
#: How long the server may take to find it, in seconds: a page without links is better than a late one.
_SECONDS = 3.0


async def redo(plans: Iterable[VideoPlan]) -> Callable[[VideoPlan], str | None] | None:
    """A function from a video to its link to the form; None if no Prefect server is configured, or if the server does
    not have the deployment or does not answer within seconds. Raises nothing.
    """
    form = await redo_form()
    return None if form is None else redo_links(form, plans)


async def redo_form() -> RedoForm | None:
    """The page of Prefect's UI that starts a run of `DEPLOYMENT`. PREFECT_UI_URL says where people find the UI; by
    default it is where the API is.
    """
    if not PREFECT_API_URL.value():
        return None  # a server that Prefect starts for one run is gone with it
    try:
        async with asyncio.timeout(_SECONDS), get_client() as client:
            found = await client.read_deployment_by_name(DEPLOYMENT)
        page = url_for("deployment", obj_id=found.id)
        parts = urlsplit(page or "")
    except Exception as error:  # noqa: BLE001 - no paid video depends on a link, and Prefect's client raises anything
        run_logger().debug("No links for another take: %s", str(error) or type(error).__name__)
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        return None
    return RedoForm(page=f"{page}/run", parameters=found.parameters or {})
