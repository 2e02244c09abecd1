"""Every path that a gateway has, as its own routes say."""

import asyncio
from pathlib import Path

from router.app import build
from router.endpoints.spending import GatewayPath
from router.settings import load_settings


def every_path(config: Path) -> tuple[GatewayPath, ...]:
    """All paths of a gateway of `config`, which must not run."""

    async def paths() -> tuple[GatewayPath, ...]:
        gateway = build(load_settings(config))
        await gateway.close()
        return gateway.paths

    return asyncio.run(paths())
