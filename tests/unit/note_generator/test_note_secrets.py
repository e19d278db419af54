"""Secrets are gone before anything is written, and ordinary sentences are left alone."""

import pytest
from note_generator.domain.secrets import Secrets


def cleaned(text: str) -> str:
    return Secrets.found_in([text]).removed(text)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("admin, password: Tabby-Cat-7741 and", "Tabby-Cat-7741"),
        ("password=Vets!Scan2026 if u need it", "Vets!Scan2026"),
        ('pwd = "correct horse battery"', "correct horse battery"),
        ("her password is Sommer2026! now", "Sommer2026"),
        ("we set the password to Blue42!x", "Blue42!x"),
        ("pw Hunter2hunter", "Hunter2hunter"),
        ("Passwort: Geheim123", "Geheim123"),
        ("Kennwort lautet Wald#77x", "Wald#77x"),
        ("mot de passe : Ete2026!", "Ete2026!"),
        ("WPA2 key: guest-lobby-99", "guest-lobby-99"),
        ("door PIN: 4711", "4711"),
        ("login: admin / Winter2025", "Winter2025"),
        ("MFA code 123 456", "123 456"),
        ("your verification code is 884213", "884213"),
        (
            "ssh key:\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----",
            "b3BlbnNz",
        ),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow cut off", "MIIEow"),
        ("amqp://app:S3cret@mq.example/", "S3cret"),
        ("postgres://app:p4ss@db.example:5432/x", "p4ss"),
        ("Server=sql01;User Id=sa;Password=Qwe!98765;Encrypt=yes", "Qwe!98765"),
        ("AccountKey=abcdEFGH1234567890abcd==;", "abcdEFGH1234567890abcd"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "ABCDEFGHIJKLMNOP"),
        ("aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
        ("ghp_" + "a1B2" * 9, "a1B2a1B2"),
        ("xoxb-" + "123456789012-abcdef", "123456789012"),
        ("sk-ant-" + "api03-abcdefghijklmnop1234", "abcdefghijklmnop1234"),
        ("Authorization: Bearer abcdefghijklmnop.123", "abcdefghijklmnop"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl", "eyJzdWIi"),
        ("session-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ", "eyJzdWIi"),
        ("_old_api_key_2 = 'abcdefg8'", "abcdefg8"),
        ("recovery codes: A1B2C3D4, E5F6G7H8", "E5F6G7H8"),
        ("Cookie: JSESSIONID=A1B2C3; theme=dark", "A1B2C3"),
        ("https://files.example/x?sv=1&sig=abcd%2Fefgh1234", "efgh1234"),
        ("api key: 9f8e7d6c5b4a39281706", "9f8e7d6c5b4a39281706"),
        ("BitLocker " + "-".join(["123456"] * 8), "123456-123456"),
    ],
)
def test_a_secret_is_replaced(text: str, secret: str) -> None:
    shown = cleaned(text)
    assert secret not in shown
    assert "removed]" in shown


@pytest.mark.parametrize(
    "text",
    [
        "Outlook keeps asking for password - 1 user",
        "the password is expired again, password reset did not help",
        "user name or password is incorrect",
        "password hash sync is waiting for the next cycle",
        "SMTP AUTH with basic authentication was turned off",
        "verification pending until 10:02, error code 0x80070005, exit code 500200",
        "Webmail and the phone accept the current password; only Outlook asks again.",
        "rotate both passwords that were sent in clear",
        "user rights / permissions are wrong",
        "token-signing certificate is renewed, the key is in the safe",
        "Das Kennwort ist abgelaufen",
        "login fails on the page after the password prompt",
        "the password policy is 12 characters, set it to 14",
        "please reset the password to the default of the vendor",
        "pass 2 of 3 is done, pass the update on to 3 sites",
        "error code is 500200, exit code was 160300, post code is 123456",
        "changed it to VLAN20, then set this to 4.2.4",
        "ssh admin@10.0.0.1:22 is refused, sip:reception1@pbx.example and mailto:bob7smith@x.example too",
        "the wifi key on the keyboard is stuck, the pin of the plug is bent",
        "signed in as j.doe / on FS-01 it fails",
        "recovery codes are printed, the backup code is in the safe",
        "SNMP community is wrong, session id is missing",
    ],
)
def test_a_sentence_about_secrets_is_no_secret(text: str) -> None:
    assert cleaned(text) == text


def test_what_was_a_secret_once_is_one_everywhere_in_the_session() -> None:
    secrets = Secrets.found_in(["mailbox password=Vets!Scan2026", "unrelated"])
    assert (
        secrets.removed("do you still need the Vets!Scan2026 one?")
        == "do you still need the [password removed] one?"
    )


def test_removing_twice_changes_nothing_more() -> None:
    once = cleaned("password: Tabby-Cat-7741, token=abcdef123456")
    assert cleaned(once) == once
