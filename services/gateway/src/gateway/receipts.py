"""Operation ids: opaque to clients, and proof for any gateway that one of them queued this command."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

_MAC_BYTES = 16
_BYTES = 16 + 8 + 16 + _MAC_BYTES


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an operation id stands for. `fingerprint` is the request's: its key may be another's already."""

    command_id: UUID
    accepted_at: datetime
    fingerprint: str


class Receipts:
    """Writes and reads operation ids. The MAC covers the account: an id works for its own account only."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def write(self, receipt: Receipt, *, account_id: UUID) -> str:
        """The operation id."""
        milliseconds = round(receipt.accepted_at.timestamp() * 1_000)
        content = receipt.command_id.bytes + milliseconds.to_bytes(8) + bytes.fromhex(receipt.fingerprint)
        return _text(content + self._mac(content, account_id))

    def read(self, operation_id: str, *, account_id: UUID) -> Receipt | None:
        """What the id stands for; None where it is no id of this account."""
        try:
            raw = base64.b64decode(operation_id + "=" * (-len(operation_id) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        # The last character has bits to spare: of all spellings only the one that was given out is an id.
        if len(raw) != _BYTES or _text(raw) != operation_id:
            return None
        content, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(content, account_id)):
            return None
        accepted_at = datetime.fromtimestamp(int.from_bytes(content[16:24]) / 1_000, UTC)
        return Receipt(UUID(bytes=content[:16]), accepted_at, content[24:].hex())

    def _mac(self, content: bytes, account_id: UUID) -> bytes:
        return hmac.digest(self._key, content + account_id.bytes, hashlib.sha256)[:_MAC_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
