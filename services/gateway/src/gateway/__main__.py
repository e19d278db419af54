"""`python -m gateway`: serve until told to stop."""

import argparse
import asyncio
import socket

import uvicorn
from fastapi import FastAPI
from pydantic.fields import FieldInfo
from shared.contracts.vocabulary import Service
from shared.settings import read

from gateway.app import create_app, drain, give_up_previews
from gateway.settings import Settings
from shared import garbage, logs, telemetry

_KEEP_ALIVE_S = 75
"""Longer than the proxies in front keep an idle connection, so that none sends into one that is being closed."""


class Server(uvicorn.Server):
    """Ends event streams as it begins to shut down, so that it need not wait for them."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await drain(self._app)
        giving_up = asyncio.create_task(give_up_previews(self._app))
        await super().shutdown(sockets)
        giving_up.cancel()


def main() -> None:
    """Read the settings, serve, and finish what was accepted before ending."""
    _read_arguments()
    settings = read(Settings)
    logs.configure(service=Service.GATEWAY, replica=settings.replica, level=settings.log_level)
    telemetry.configure_by(settings, service=Service.GATEWAY)
    app = create_app(settings)
    garbage.collect_seldom()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(settings.finish_s) - 1),
    )
    Server(config, app).run()


def _read_arguments() -> None:
    names = "\n".join(
        f"  GATEWAY_{name.upper():<20} {field.description}{_default(field)}"
        for name, field in Settings.model_fields.items()
    )
    argparse.ArgumentParser(
        prog="gateway",
        description="The HTTP side of ResolutionFlow: accepts changes, asks, and streams.",
        epilog=f"settings (environment, or files under /run/secrets):\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()


def _default(field: FieldInfo) -> str:
    if field.is_required() or field.default is None:
        return ""
    default = field.default
    return f" [{','.join(default) if isinstance(default, tuple) else default}]"


if __name__ == "__main__":
    main()
