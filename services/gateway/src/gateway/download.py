"""A document over http(s) within a time, however slowly it comes: urllib limits each read, and not their sum."""

import time
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from socket import socket
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, Request, build_opener


def download(url: str, *, within_s: float, longest: int) -> bytes:
    """The document, each of whose replies (a redirection is one) has this time, and this many bytes at most.

    Raises OSError, HTTPException or ValueError. Looking the name up takes as long as the system lets it.
    """
    with build_opener(_Http, _Https).open(url, timeout=within_s) as reply:
        document: bytes = reply.read(longest + 1)
    if len(document) > longest:
        raise ValueError("the document is too long")
    return document


class _Hurried(RawIOBase):
    """What a socket reads, all of it in the time that the socket gives each read."""

    def __init__(self, raw: Any, sock: socket) -> None:
        self._raw, self._sock = raw, sock
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        rest_s = self._deadline - time.monotonic()
        if rest_s <= 0:
            raise TimeoutError
        self._sock.settimeout(rest_s)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reply(HTTPResponse):
    def __init__(self, sock: socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        self.fp = BufferedReader(_Hurried(self.fp.detach(), sock))


class _HttpConnection(HTTPConnection):
    response_class = _Reply


class _HttpsConnection(HTTPSConnection):
    response_class = _Reply


class _Http(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_HttpConnection, req)


class _Https(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_HttpsConnection, req)
