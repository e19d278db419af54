"""Nobody waits long for a key set that is slow to come, and who needs nothing of it waits not at all."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from gateway.keys import Jwks
from patience import eventually
from unit.gateway.gateway_doubles import KeyPair

LONG = 20.0

END_WHILE_IT_IS_READ = """
import asyncio, time
from gateway.keys import Jwks

async def main():
    asking = asyncio.create_task(Jwks(lambda: time.sleep(600), refresh_s=300).find("first"))
    await asyncio.wait((asking,), timeout=0.1)

asyncio.run(main())
"""


class Issuer:
    """A key set that stops to come when the test says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begun = 0
        self.comes = Event()
        self.comes.set()

    def read(self) -> bytes:
        self.begun += 1
        self.comes.wait(LONG)
        return self.path.read_bytes()


@pytest.fixture
def issuer(key_pair: KeyPair, tmp_path: Path) -> Iterator[Issuer]:
    issuer = Issuer(key_pair.jwks(tmp_path))
    yield issuer
    issuer.comes.set()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.keys._READ_WITHIN_S", 0.05)


async def test_a_known_key_is_found_while_the_key_set_is_read_again(issuer: Issuer) -> None:
    keys = Jwks(issuer.read, refresh_s=1e-9)
    assert await keys.find("first") is not None
    issuer.comes.clear()
    async with asyncio.timeout(LONG / 2):
        for _ in range(3):
            assert await keys.find("first") is not None
    await eventually(lambda: issuer.begun == 2)


async def test_a_new_key_set_replaces_the_old_one_behind_a_known_key(
    issuer: Issuer, key_pair: KeyPair
) -> None:
    keys = Jwks(issuer.read, refresh_s=1e-9)
    assert await keys.find("first") is not None
    key_pair.jwks(issuer.path.parent, kid="second")

    async def replaced() -> bool:
        return await keys.find("first") is None

    await eventually(replaced)


@pytest.mark.usefixtures("impatient")
async def test_unknown_keys_are_given_up_while_the_key_set_does_not_come(issuer: Issuer) -> None:
    keys = Jwks(issuer.read, refresh_s=1e-9)
    issuer.comes.clear()
    async with asyncio.timeout(LONG / 2):
        found = await asyncio.gather(*(keys.find(f"invented {number}") for number in range(5)))
        assert await keys.find("first") is None
    assert (found, issuer.begun) == ([None] * 5, 1)
    issuer.comes.set()

    async def there() -> bool:
        return await keys.find("first") is not None

    await eventually(there)


@pytest.mark.parametrize("document", [b"[]", b"{}", b'{"keys": [1]}', b"<html>"])
async def test_a_document_that_is_no_key_set_changes_nothing(issuer: Issuer, document: bytes) -> None:
    keys = Jwks(issuer.read, refresh_s=1e-9)
    assert await keys.find("first") is not None
    issuer.path.write_bytes(document)
    assert await keys.find("invented") is None
    assert await keys.find("first") is not None


def test_a_process_ends_while_a_key_set_is_read() -> None:
    subprocess.run([sys.executable, "-c", END_WHILE_IT_IS_READ], check=True, timeout=60)
