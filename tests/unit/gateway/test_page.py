"""The page's files, as the gateway serves them; and the sign-in, which is closed unless somebody opened it."""

from pathlib import Path
from uuid import UUID

import pytest
from gateway.settings import DemoPerson
from pydantic import ValidationError
from unit.gateway.gateway_doubles import ACCOUNT, SESSION, USER, Bench, settings

SAM = DemoPerson(id=USER, name="Sam Okafor", role="engineer", account_id=ACCOUNT, account="Demo MSP")


@pytest.fixture
def page(tmp_path: Path) -> Bench:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>ResolutionFlow</title>" + " " * 600)
    (tmp_path / "assets" / "index-1a2b.js").write_text("console.log('page');" * 100)
    (tmp_path / "favicon.svg").write_text("<svg/>")
    return Bench(page_dir=tmp_path)


@pytest.mark.parametrize("path", ["/", "/sessions", f"/sessions/{SESSION}", "/awaiting"])
async def test_the_page_is_served_at_its_own_addresses_under_a_strict_policy(page: Bench, path: str) -> None:
    reply = await page.send("GET", path, token="")
    assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-cache")
    policy = reply.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/api", "/api/v1/nothing", "/nothing", "/sessions/a/b", "/../settings.py"])
async def test_no_other_address_falls_back_to_the_page(page: Bench, path: str) -> None:
    reply = await page.send("GET", path)
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


async def test_hashed_files_are_kept_for_ever_and_travel_compressed(page: Bench) -> None:
    reply = await page.send("GET", "/assets/index-1a2b.js", token="")
    assert reply.headers["Content-Encoding"] == "gzip"
    assert "immutable" in reply.headers["Cache-Control"]
    assert reply.text.startswith("console.log")
    plain = await page.send("GET", "/assets/index-1a2b.js", token="", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.text == reply.text


@pytest.mark.parametrize("held", ["{etag}", "W/{etag}", '"older", {etag}'])
async def test_what_the_browser_has_is_not_sent_again(page: Bench, held: str) -> None:
    etag = (await page.send("GET", "/", token="")).headers["ETag"]
    reply = await page.send("GET", "/", token="", headers={"If-None-Match": held.format(etag=etag)})
    assert (reply.status_code, reply.content) == (304, b"")


async def test_without_a_page_there_is_the_api_alone(bench: Bench) -> None:
    assert (await bench.send("GET", "/", token="")).status_code == 404


async def test_unless_an_operator_allowed_it_nobody_is_given_a_token(bench: Bench) -> None:
    assert (await bench.send("GET", "/sign-in", token="")).json() == {"people": []}
    reply = await bench.send("POST", "/sign-in", token="", json={"person_id": str(USER)})
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


async def test_who_becomes_a_demo_person_has_that_person_s_account_and_role() -> None:
    bench = Bench(demo_sign_in=(SAM,))
    token = (await bench.send("POST", "/sign-in", token="", json={"person_id": str(USER)})).json()["token"]
    assert (await bench.send("GET", f"/api/v1/ai-sessions/{SESSION}", token=token)).status_code == 200
    assert bench.queries.asked[0].account_id == ACCOUNT
    other = str(UUID(int=7))
    assert (await bench.send("POST", "/sign-in", token="", json={"person_id": other})).status_code == 404


def test_a_gateway_that_cannot_sign_offers_no_demo_sign_in(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="DEMO_SIGN_IN needs JWT_SECRET"):
        settings(jwt_secret=None, jwks_file=tmp_path / "jwks.json", demo_sign_in=(SAM,))
