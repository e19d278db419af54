"""What secrets look like: by their own shape, or by the words before them.

Anybody's text is searched, on the event loop: no pattern may take more than linear time. So what repeats has a bound,
or begins where no other try has begun (`(?<!…)`) and is not given back (`++`).
"""

import re
from dataclasses import dataclass
from typing import Final

_SEPARATOR: Final = (
    r"(?:\s{0,3}(?:[:=]|->|=>)\s{0,3}|\s{1,3}(?:is|are|was|ist|lautet|war|to|auf|es)\s{1,3}:?\s?)"
)
_VALUE: Final = r"""(?P<secret>"[^"\r\n]{1,200}"|'[^'\r\n]{1,200}'|`[^`\r\n]{1,200}`|[^\s,;<>"'`]{3,200})"""
_SIGN_IN_WORD: Final = (
    r"(?:pass(?:word|wort|phrase|code|wd)?s?|kennw(?:ort|oerter|örter)|pwd|pw|psk|wpa2?[ -]?key|pre-?shared[ -]?key|"
    r"mot de passe|contrase(?:ñ|n)a|wachtwoord|hasło|senha|(?:login|door|alarm|sim)?[ -]?pin)"
)
_SIGN_IN_HINTS: Final = (
    *("pass", "pw", "kennw", "contrase", "wachtwoord", "has\u0142o", "senha", "psk", "wpa", "shared", "pin"),
)
_KEY_WORD: Final = (
    r"(?:api[ _-]?key|(?:client|app|shared|consumer)[ _-]?secret|secret(?:[ _-]?(?:access[ _-]?)?key)?|"
    r"(?:access|auth|refresh|bearer|session|id)[ _-]?token|token|account[ _-]?key|sharedaccess(?:key|signature)|"
    r"encryption[ _-]?key|recovery[ _-]?key)"
)
_CHANGED: Final = (
    r"(?:\s{1,3}(?:was|is|has|been|got|now|just|re-?set|changed|set|back|updated|temporarily|"
    r"for \S{1,40})){1,4}"
)
_NO_CODE: Final = "".join(
    f"(?<!{word} )"
    for word in ("error", "exit", "status", "event", "result", "return", "post", "stop", "area", "item")
)
_CODE_WORD: Final = (
    r"(?:(?:mfa|otp|totp|2fa|one[ -]?time|verification|authenticator|authentication|sms|security|login|sign[ -]?in|"
    r"bestätigungs|sicherheits)[ -]?(?:code|pass(?:word|code)?|token|pin|number)?|auth code)"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What it finds, as the group `secret`. Where none of the `hints` (lower case) stands, it need not be tried.

    `in_prose`: found by the word before it, so an ordinary word may stand there too.
    """

    what: str
    regex: re.Pattern[str]
    hints: tuple[str, ...]
    in_prose: bool = False


def _pattern(what: str, regex: str, *hints: str, in_prose: bool = False) -> Pattern:
    return Pattern(what, re.compile(regex, re.IGNORECASE if in_prose else 0), hints, in_prose)


PATTERNS: Final = (
    _pattern(
        "private key",
        r"(?s)(?P<secret>-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))",
        "-----begin",
    ),
    _pattern(
        "password", r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,30}://[^\s:/@]{0,100}:(?P<secret>[^\s/]{1,200})@", "://"
    ),
    _pattern(
        "token",
        r"(?<![\w-])(?=[\w-]++\.[\w-]{5})(?:[\w-]*?-)??(?P<secret>eyJ[\w-]{5,}\.[\w-]{5,}\.?[\w-]*)",
        "eyj",
    ),
    _pattern("token", r"(?P<secret>\bgh[pousr]_\w{30,})", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _pattern("token", r"(?P<secret>\bgithub_pat_\w{22,})", "github_pat_"),
    _pattern("token", r"(?P<secret>\b(?:glpat-[\w-]{20,}|npm_\w{30,}))", "glpat-", "npm_"),
    _pattern("token", r"(?P<secret>\b(?:xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}))", "xox", "xapp-"),
    _pattern(
        "API key",
        r"(?P<secret>\b(?:sk|rk|pk)[-_](?:live|test|ant|proj|or)?[-_]?[\w-]{20,})",
        *("sk-", "sk_", "rk-", "rk_", "pk-", "pk_"),
    ),
    _pattern(
        "token",
        r"(?P<secret>\b(?:hf_|shpat_|dckr_pat_|glsa_|lin_api_|figd_|dop_v1_|doo_v1_|pypi-|rubygems_|vault:v1:|hvs\.)[\w-]{20,})",
        *(
            "hf_",
            "shpat_",
            "_pat_",
            "glsa_",
            "lin_api_",
            "figd_",
            "_v1_",
            "pypi-",
            "rubygems_",
            "vault:",
            "hvs.",
        ),
    ),
    _pattern(
        "token",
        r"(?i)\b(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks|webhook\.office\.com/\S{1,200}?)"
        r"/(?P<secret>[^\s\"'<>]{8,})",
        *("hooks.slack", "webhook"),
    ),
    _pattern("API key", r"(?P<secret>\bAIza[\w-]{35})", "aiza"),
    _pattern("API key", r"(?P<secret>\b(?:ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}))", "ya29.", "sg."),
    _pattern(
        "access key", r"(?P<secret>\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b)", "akia", "asia", "aroa", "aida"
    ),
    _pattern(
        "access key",
        r"(?i)\b(?:accountkey|sharedaccesskey|aws_secret_access_key)\s*[:=]\s*(?P<secret>[\w+/=]{16,})",
        *("accountkey", "accesskey", "access_key"),
    ),
    _pattern(
        "signature",
        r"(?i)[?&](?:sig|signature|x-amz-signature|access_token|token|api_key|key)=(?P<secret>[^&\s]{8,})",
        *("sig=", "signature=", "token=", "key="),
    ),
    _pattern("token", r"(?i)\bauthorization\s*[:=]\s*\w+\s+(?P<secret>[\w.~+/-]{8,}={0,2})", "authorization"),
    _pattern(
        "token", r"(?i)\b(?:bearer|basic)\s+(?P<secret>(?=\S*\d)[\w.~+/-]{12,}={0,2})", "bearer", "basic"
    ),
    _pattern(
        "private key",
        r"(?is)\bprivate-lines:\s*\d+\s+(?P<secret>\S.{4,}?)(?=private-mac|\Z)",
        "private-lines",
    ),
    _pattern(
        "password", r"(?i)\bconvertto-securestring\s+(?:-string\s+)?[\"'](?P<secret>[^\"']+)", "securestring"
    ),
    _pattern("password", r"(?i)\b(?:secret|password)\s+[0-9]\s+(?P<secret>\S{6,})", "secret", "password"),
    _pattern("password", r"(?i)\bsnmp\S{0,10}\s+community\s+(?P<secret>\S{3,})", "community"),
    _pattern("password", r"(?i)\bcurl\b[^\n]{0,200}?\s(?:-u|--user)\s*[^\s:]+:(?P<secret>\S{3,})", "curl"),
    _pattern(
        "password",
        r"(?i)\b(?:mysql\w*|mariadb\w*|sshpass|plink|pscp)\b[^\n]{0,100}?\s-pw?\s?(?P<secret>[^\s-]\S{3,})",
        *("mysql", "mariadb", "sshpass", "plink", "pscp"),
    ),
    _pattern(
        "recovery code",
        r"(?i)\b(?:recovery|back-?up|rescue|scratch)[ -](?:code|phrase)s?\b\s{0,3}(?:(?:is|are|:|=)\s{0,3})?"
        r"(?P<secret>(?=[A-Z-]*\d)[A-Z0-9][A-Z0-9-]{5,}(?:\s{0,3}[,/ ]\s{0,3}(?=[A-Z-]*\d)[A-Z0-9-]{6,})*)",
        *("recovery", "backup", "back-up", "rescue", "scratch"),
    ),
    _pattern(
        "session",
        r"(?i)\bsession[ _-]?id\s*[:=]\s*(?P<secret>[\w-]{12,})",
        "session id",
        "sessionid",
        "session_id",
    ),
    _pattern("cookie", r"(?im)\b(?:set-)?cookie\s*:\s*(?P<secret>\S[^\r\n]{2,2000})", "cookie"),
    _pattern(
        "cookie",
        r"(?i)\b(?:jsessionid|phpsessid|asp\.net_sessionid|estsauth\w*|fedauth|rtfa)=(?P<secret>[^;\s]{6,})",
        *("sess", "auth", "rtfa"),
    ),
    _pattern("recovery key", r"(?P<secret>\b(?:\d{6}-){7}\d{6}\b)", "-"),
    _pattern("licence key", r"(?P<secret>\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b)", "-"),
    _pattern("password", rf"\b{_SIGN_IN_WORD}{_SEPARATOR}{_VALUE}", *_SIGN_IN_HINTS, in_prose=True),
    _pattern(
        "password",
        rf"\b{_SIGN_IN_WORD}\s{{1,2}}(?P<secret>[^\s,;]{{6,100}})",
        *_SIGN_IN_HINTS,
        in_prose=True,
    ),
    _pattern(
        "password",
        rf"\b{_SIGN_IN_WORD}{_CHANGED}(?:\s{{1,3}}to|\s{{0,3}}[:=])\s{{0,3}}:?\s{{0,3}}{_VALUE}",
        *_SIGN_IN_HINTS,
        in_prose=True,
    ),
    _pattern("PIN", r"\bpin\b(?:\s(?:code|number))?\s{1,3}(?P<secret>\d{4,8})\b", "pin", in_prose=True),
    _pattern(
        "password",
        r"\b(?:re-?set|changed|set|made)\s+(?:it|this|hers?|his|theirs?|mine)\s+to\s+"
        r"(?P<secret>(?=\S*\d)(?=\S*[a-z])(?=\S*[!@#$%^&*?~])\S{8,100})",
        *(" it to", " this to", " her", " his to", " their", " mine to"),
        in_prose=True,
    ),
    _pattern(
        "password",
        r"\b(?:sign|log)(?:ged)?[ -]?(?:in|on)\s+(?:with|as)\s+\S{1,80}\s?[/|:]\s?(?P<secret>\S{4,100})",
        *("sign", "log"),
        in_prose=True,
    ),
    _pattern("password", r"/user:\S{1,80}\s+(?P<secret>[^\s/]\S{3,100})", "/user:", in_prose=True),
    _pattern(
        "password",
        r"\b(?!mailto:|sips?:|xmpp:|callto:)[\w.-]{1,40}:(?P<secret>[^\s:@/]{6,60})@[\w.-]+",
        "@",
        in_prose=True,
    ),
    _pattern(
        "password",
        rf"\b(?:wi-?fi|wlan|ssid|wireless)\b[^.\n]{{0,60}}?\b(?:key|code)\b(?:\s(?:is|was))?\s?[:=]?\s?{_VALUE}",
        *("wifi", "wi-fi", "wlan", "ssid", "wireless"),
        in_prose=True,
    ),
    _pattern(
        "key",
        r"(?<![a-z0-9_])(?=[a-z0-9_]*?(?:secret|token|passw(?:or)?d|pwd|api_?key|access_?key|private_?key))"
        r"[a-z0-9_]++\s?[:=]\s?[\"']?(?P<secret>(?=[^\s\"']{0,299}\d)[^\s,;\"']{8,300})",
        *("secret", "token", "passw", "pwd", "apikey", "api_key", "access", "private"),
        in_prose=True,
    ),
    _pattern(
        "key", rf"\b{_KEY_WORD}{_SEPARATOR}{_VALUE}", "key", "secret", "token", "sharedaccess", in_prose=True
    ),
    _pattern(
        "password",
        r"\b(?:login|creds?|credentials|logon|zugangsdaten|user(?:name)?)\b"
        r"\s{0,3}[:=]?\s{0,3}\S{1,80}\s?[/|]\s?(?P<secret>\S{4,100})",
        *("login", "cred", "logon", "zugang", "user"),
        in_prose=True,
    ),
    _pattern(
        "code",
        rf"\b{_CODE_WORD}{_SEPARATOR}?\s?(?P<secret>\d{{3}}[ -]?\d{{3,5}}\b)",
        *("code", "mfa", "otp", "2fa", "one time", "one-time", "sms", "verification", "authent", "security"),
        *("sign", "login", "sicherheits"),
        in_prose=True,
    ),
    _pattern(
        "code",
        rf"{_NO_CODE}\bcode\b[^.\n\d]{{0,40}}?(?:\bis\b|\bwas\b|:)\s{{0,3}}(?P<secret>\d{{3}}[ -]?\d{{3,5}}\b)",
        *("code",),
        in_prose=True,
    ),
)

NOT_SECRETS: Final = re.compile(
    r"""
    a | able | accepted | again | agents | all | also | an | and | any | are | ask | asked | asking |
    asks | at | be | been | before | being | below | blank | but | by | case | change | changed |
    changes | client | correct | dead | did | disabled | do | done | each | email | empty | enabled |
    entered | entry | error | expire | expired | expires | expiry | fails | failed | field | fine | for
    | forgotten | forgot | from | fully | given | gone | good | got | hash | hashes | have | here |
    history | i | if | in | incorrect | invalid | is | it | its | known | later | left | length | like |
    locked | login | manager | managers | mismatch | missing | needed | needs | never | new | no | none
    | not | now | null | of | off | ok | old | on | once | only | or | our | out | page | pending |
    policies | policy | portal | prompt | prompts | protected | required | reset | resets | resetting |
    rejected | reused | rotated | rotation | saved | screen | sent | service | session | set | shared |
    still | stored | sync | synced | synchronisation | synchronization | syncing | temporary | that |
    the | their | then | there | they | this | timeout | to | too | twice | unchanged | unknown | until
    | updated | usage | user | users | using | valid | vault | was | we | weak | were | when | which |
    will | window | with | within | without | wrong | you | your | abgelaufen | aktualisiert | auf | bei
    | das | dem | den | der | die | ein | eine | falsch | fehlt | für | geändert | gesetzt | gesperrt |
    gespeichert | gültig | im | in | ist | kein | keine | mit | neu | nicht | noch | nötig | oder |
    richtig | ungültig | und | unbekannt | vergessen | von | war | wird | wurde | zurückgesetzt |
    zurücksetzen
    """,
    re.VERBOSE,
)
"""What follows "password" in plain sentences: "password expired", "the password is wrong"."""
