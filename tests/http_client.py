"""The HTTP client of tests that ask several things at once."""

from typing import Any, Final

import httpx

WITHIN_S: Final = 30
"""Longer than anything may take to answer, the previews aside."""


def http_client(**more: Any) -> httpx.AsyncClient:
    """A client with a new connection for each request; `more` is for httpx.

    httpcore may close an idle connection that it has just given to a request, which then fails with ReadError
    (https://github.com/encode/httpcore/issues/1110). Where no connection is kept, none is idle.
    """
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=0)
    return httpx.AsyncClient(limits=limits, timeout=WITHIN_S, trust_env=False, **more)
