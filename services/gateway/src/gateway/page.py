"""The engineer's page: a folder of built files, held in memory and served compressed under a strict policy."""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGE_ROUTES: Final = ("/", "/sessions", "/sessions/{session}", "/awaiting")
"""What the page itself shows; every other unknown path stays 404."""

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HASHED: Final = "assets"
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_INCOMPRESSIBLE: Final = frozenset({".png", ".woff2", ".ico"})
_LEAST_WORTH_IT: Final = 512


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    zipped: bytes | None
    etag: str
    media_type: str
    caching: str

    @classmethod
    def read(cls, path: Path, *, hashed: bool) -> "_File":
        body = path.read_bytes()
        worth_it = len(body) >= _LEAST_WORTH_IT and path.suffix not in _INCOMPRESSIBLE
        return cls(
            body=body,
            zipped=gzip.compress(body, mtime=0) if worth_it else None,
            etag=f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"',
            media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            caching=_FOREVER if hashed else _ASK_AGAIN,
        )

    async def __call__(self, request: Request) -> Response:
        headers = {
            "Cache-Control": self.caching,
            "ETag": self.etag,
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": _POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        # A proxy that compresses makes the tag a weak one, and sends it back as such.
        if self.etag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        if self.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            return Response(
                self.zipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=self.media_type
            )
        return Response(self.body, headers=headers, media_type=self.media_type)


def routes(folder: Path) -> Iterator[Route]:
    """A route for every file of the build, and for every address that the page shows something at."""
    index = _File.read(folder / "index.html", hashed=False)
    for address in PAGE_ROUTES:
        yield Route(address, index.__call__, methods=["GET"])
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.is_file() and place != Path("index.html"):
            served = _File.read(path, hashed=place.parts[0] == _HASHED)
            yield Route(f"/{place.as_posix()}", served.__call__, methods=["GET"])
