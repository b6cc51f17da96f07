"""The minimum for anything recorded by Prefect: its import and one call to its API."""

from __future__ import annotations

import asyncio

import prefect


async def main() -> None:
    async with prefect.get_client() as client:
        await client.api_version()


if __name__ == "__main__":
    asyncio.run(main())
