"""The refusals, as the API promised them: literal, so that a change is seen."""

from shared.contracts.problems import STATUS, TITLE, ProblemCode

PROMISED = {
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "invalid": 422,
    "notes_required": 400,
    "payload_too_large": 413,
    "rate_limited": 429,
    "version_conflict": 412,
    "idempotency_key_reused": 422,
    "outcome_final": 409,
    "fix_superseded": 409,
    "not_proposed": 409,
    "fix_needs_outcome": 409,
    "session_closed": 409,
    "unavailable": 503,
}
HTTP_ITSELF = {"method_not_allowed": 405, "request_timeout": 408, "internal": 500}


def test_every_code_has_the_promised_status() -> None:
    assert {str(code): status for code, status in STATUS.items()} == PROMISED | HTTP_ITSELF


def test_every_code_has_a_title_of_its_own() -> None:
    assert set(TITLE) == set(STATUS) == set(ProblemCode)
    assert len(set(TITLE.values())) == len(TITLE)
    assert all(title == title.strip() and title for title in TITLE.values())


def test_the_refusal_for_missing_notes_says_notes() -> None:
    assert "notes" in TITLE[ProblemCode.NOTES_REQUIRED]
