"""A document over http(s) within a time, however slowly it comes: urllib limits each read, and not their sum."""

import time
from http.client import HTTPResponse
from urllib.request import urlopen


def download(url: str, *, within_s: float, longest: int) -> bytes:
    """The document, which has this time once its server has begun to answer, and this many bytes at most.

    Raises OSError, HTTPException or ValueError.
    """
    document = bytearray()
    reply: HTTPResponse
    with urlopen(url, timeout=within_s) as reply:  # noqa: S310 - the settings allow no other kind
        deadline = time.monotonic() + within_s
        while part := reply.read1(1 << 16):
            document += part
            if len(document) > longest:
                raise ValueError("the document is too long")
            if time.monotonic() > deadline:
                raise TimeoutError("the document comes too slowly")
    return bytes(document)
