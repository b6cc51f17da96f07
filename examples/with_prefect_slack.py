"""Make a video and post a link to it in Slack.

    pip install prefect-slack
    python examples/with_prefect_slack.py

Save a Slack Incoming Webhook block named `videos` first. The link works for a day, without credentials.
"""

from __future__ import annotations

from prefect import flow
from prefect_slack import SlackWebhook

from prefect_together_video import make_video


@flow
def with_prefect_slack(prompt: str, webhook: str = "videos") -> None:
    video = make_video({"prompt": prompt, "width": 864, "height": 480})
    link = video.presigned_url(seconds=86_400)
    SlackWebhook.load(webhook).notify(f"<{link}|{video.title}>: {video.seconds} s, {video.cost_usd} USD")


if __name__ == "__main__":
    with_prefect_slack("a cable car climbs into the clouds, aerial shot")
