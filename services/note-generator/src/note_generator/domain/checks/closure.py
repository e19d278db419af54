"""Sentences that close a case: in so many words, by saying that all works again, or that the trouble is gone.

Only English is read. What is written in another language cannot be held against the record, and is not let through.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from note_generator.domain.plain import one_line

_LISTS: Final[Mapping[str, str]] = {
    "problem": "(problem|issue|incident|outage|fault|error|drop|disconnect|interruption|failure|symptom|disruption|"
    "matter|trouble|crash|cause)e?s?",
    "trouble": "(issue|problem|complaint|drop|error|outage|interruption|fault|failure)s?",
    "service": "(service|connection|connectivity|internet|network|line|link|tunnel|system|operation|access|"
    "functionality|everything|all|it|this|that|they|update|change|fix|case|ticket)s?",
    "be": "(is|are|was|were|be|been|being|got|gets|looks?|seems?|stays?|now|again)",
    "solved": "(resolved|fixed|solved|cured|remedied|rectified|corrected|closed|settled|eliminated|overcome|sorted|"
    "successful|restored|re-?established|recovered|resumed|verified|confirmed|proven)",
    "solve": "(resolve|fix|solve|cure|remedy|eliminate|restore)",
    "solves": "(resolve[ds]|fixe[ds]|solve[ds]|cure[ds]|remedied|eliminate[ds]|removed|ended|restored|resumed)",
    "well": "(ok|okay|fine|good|well(?! known)|normal|stable|healthy|operational|functional|online|up(?! to)|"
    "all right|satisfied|happy|working)",
    "run": "(work|working|works|worked|run|running|runs|function|functions|functioning|go through|going through|"
    "stable|fine|ok|online|functional|operational)",
    "done": "(complete|completed|done|finished|passed|over|positive|successful)",
    "stopped": "(stopped|ceased|disappeared|vanished|subsided|went away|gone away)",
    "happen": "(occur|occurs|occurring|happens?|happening|appears?|present|affected|seen|observed|exists?|pending)",
    "recur": "(recurr?(ed|ing)?|re-?occurr?(ed|ing)?|re-?appear(ed)?|return(ed)?|come back)",
    "see": "(report|see|saw|have|has|had|notice|experience|observe)(s|d|ed)?",
    "no": "(no (further|more|additional|other))",
}

# A line is a claim: ` .. ` stands for a few words, and names in braces for the lists above.
_WORKS: Final = r"""
    {problem} .. {solved}
    {service} .. {be} .. {solved}
    {service} .. {be}( \w+)? {well}
    (everything|all|it|internet|connection|line|service|system) (works|holds)
    (is|are|was|were|been|got|it)( now| finally| fully)? (resolved|solved|fixed|cured)
    considere?d? .. (closed|resolved|solved|done)
    (client|customer|user)s? (is|are|was|were)( \w+)? (satisfied|happy|content)
    {solves} (the|this|that|these|all) .. ({problem}|{service})
    (able|managed) to {solve}
    {service} .. (restored|re-?established|recovered|resumed)
    (normal|full) (service|operations?) .. (resumed|restored)
    {run}( \w+)? again
    back (to normal|up|online|in service|in operation)
    up and running
    as good as new
    (did|does|done) the trick
    (took|taken) care of
    permanent (fix|solution)
    (case|ticket|matter) .. can( now| therefore| thus)? be closed(?! (once|when|after|if))
    verification .. {done}
    all (tests|checks) .. passed
    tested and
    behoben|gelöst|erledigt|abgeschlossen|erfolgreich|wiederhergestellt|funktioniert
    résolue?|resuelto|solucionad[oa]|opgelost|risolto|resolvid[oa]|rozwiązany
"""
_WORKS_BY_ITSELF: Final = r"""
    (resolved|fixed|solved|closed|cured|remedied|rectified)
    works(?! out)
    worked(?! (on|with|around|out|together))
    working(?! (hours?|days?|directory|director|copy|copies|group|from))
    success|successful|successfully
    (client|customer|user)s?( has| have)? (confirmed|confirms|verified)
    {be}( \w+)? {well}
    (connection|line|link|tunnel|internet) .. holds
"""
_GONE: Final = r"""
    {problem} .. (is|are|was|were|has|have) .. (over|gone|settled|an end)
    ({problem}|it|this|they)( \w+)?( have| has| had)?( now| also| since)? {stopped}
    no longer( \w+)?( an?)? ({happen}|{problem})
    {problem} .. no longer
    {problem} .. not .. any ?(more|longer)
    (did|has|have|does|do) not {recur}
    (didn't|hasn't|haven't|doesn't|don't) {recur}
    (no (more|further|new)|zero) {trouble}
    {see} no {trouble}
    runs?( \w+)? (stable|stably|smooth|smoothly|fine)
    (run|runs|running)( \w+)? without( an?| any)?( \w+)? {trouble}
    nothing .. (to do|left|open|needed|required|necessary)
    {no} (action|work|step)s?
"""


def _claims(*texts: str) -> re.Pattern[str]:
    lines = [line.strip() for text in texts for line in text.strip().splitlines()]
    for name, words in _LISTS.items():
        lines = [line.replace(f"{{{name}}}", words) for line in lines]
    gaps = (line.replace(" .. ", r"\b[^.!?]{0,40}\b").replace(" ", r"\s+") for line in lines)
    return re.compile("|".join(rf"\b(?:{line})\b" for line in gaps), re.IGNORECASE)


DECIDING: Final = _claims(_WORKS, _WORKS_BY_ITSELF)
"""What says that all is well, in a section that decides."""
ANYWHERE: Final = re.compile(
    rf"{_claims(_WORKS).pattern}|^\W*(?:resolved|fixed|solved|closed)\W*$", re.IGNORECASE
)
"""The same in any other section, where a fact may well say that something works."""
GONE: Final = _claims(_GONE)
"""What says that the trouble is gone: `no` and `not` are the claim there."""

_APPLYING: Final = (
    "(?:applied|uploaded|installed|staged|deployed|implemented|carried out|rolled out|set|made|completed)"
)
_APPLIED_WELL: Final = re.compile(
    rf"\bsuccessfully (?:been )?{_APPLYING}\b|\b{_APPLYING} successfully\b", re.IGNORECASE
)
"""That a change was made well says nothing about whether it helped."""
_HEDGE: Final = re.compile(
    r"""\b(?:whether|if|until|unless|once|(?<=\w\ )when|as\ soon\ as|should|would|
    will|could|may|might|must|(?<!found\ )to\ be|await\w*|pending|provisional\w*|outstanding|unverified|unconfirmed|
    likely|possib(?:ly|le)|probab(?:ly|le)|expect\w*|hop(?:e|es|ed|ing)|
    (?:meant|intended|aims?|order|needs?|has|have|had|remains?|yet)\ to|unknown|unclear|partly|partial(?:ly)?|in\ part|
    not\ (?:yet\ )?(?:known|confirmed|certain|clear|recorded)|cannot|can\ ?not)\b|can't\b""",
    re.IGNORECASE | re.VERBOSE,
)
_NEGATED: Final = re.compile(
    r"""(?:\b(?:not|never|none|neither|nor)\b|n't\b)(?!\ only\b)
    (?:\s+(?:yet|been|be|being|have|has|had|consider(?:ed)?|claim(?:ed)?|regarded|known|this|it|as|so\ far|
    [a-z]+ly))*\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_LONGEST_DENIAL: Final = 200
"""From `not` to the word that it denies, in characters."""
_CLAUSE: Final = re.compile(
    r"""[;,()]|\s[\u2013\u2014-]\s|\b(?:but|however|although)\b|\b(?:happy|glad|pleased|relieved|doubt|fact)\ that\b
    |\band\ (?=(?:the|it|this|that|everything|all|they|now|both)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_CONDITION: Final = re.compile(
    r"^(\W*(?:once|if|when|as soon as)\b[^,]*),([^,]*\b(?:can|will|may|should)\b)", re.IGNORECASE
)
"""What comes of it belongs to the condition."""
_EMPHASIS: Final = re.compile(r"\*+|~~|(?<!\w)_+|(?<!_)_++(?!\w)")
_SPACED: Final = re.compile(r"\b(?:[^\W\d_][ .\u00b7_-]){4,}[^\W\d_]\b")
_WORD: Final = re.compile(r"[^\W\d_]+")
_FOREIGN: Final = re.compile(
    r"""der|die|das|dem|den|ist|war|sind|wird|wurden?|nichts?|wieder|kein(?:e[nrms]?)?|mehr|und|es|alles|jetzt|seit|kann|
    ein(?:e[nrms]?)?|dass|nun|le|les|tout|toute|est|sont|plus|nouveau|fonctionne|el|los|las|todo|funciona|nuevo|het|een|
    weer|werkt|il|lo|tutto|nuovo|foi|tudo|novo|uma|jest|wszystko|znowu""",
    re.IGNORECASE | re.VERBOSE,
)
_FOREIGN_WORDS: Final = 2


def as_read(text: str) -> str:
    """As it looks once it is rendered, whatever it is written with."""
    rendered = unicodedata.normalize("NFKC", one_line(html.unescape(text))).replace("\u2019", "'")
    return _EMPHASIS.sub("", rendered)


@lru_cache(maxsize=4_096)
def is_claimed(sentence: str, claim: re.Pattern[str]) -> bool:
    """Whether it says so, and neither denies it nor leaves it open."""
    clauses = _CLAUSE.split(_CONDITION.sub(r"\1 \2", _APPLIED_WELL.sub("", sentence)))
    return any(_stands(clause, claim) for clause in clauses)


def _stands(clause: str, claim: re.Pattern[str]) -> bool:
    """Whether one of its claims is neither hedged nor denied by what stands before its last word."""
    hedge = _HEDGE.search(clause)
    for end in _last_words(clause, claim):
        hedged = hedge and _HEDGE.search(clause, hedge.start(), end)
        denied = claim is not GONE and _NEGATED.search(clause, max(end - _LONGEST_DENIAL, 0), end)
        if not hedged and not denied:
            return True
    return False


def _last_words(clause: str, claim: re.Pattern[str]) -> Iterator[int]:
    """Where the last word of each claim begins; one may begin within another."""
    match = claim.search(clause)
    while match:
        yield max(clause.rfind(" ", 0, match.end()), 0)
        match = claim.search(clause, match.start() + 1)


def is_foreign(sentence: str, known: frozenset[str]) -> bool:
    """Whether it is in no language and no writing that is read here; words of the record do not count."""
    words = [word for word in _WORD.findall(sentence) if word.casefold() not in known]
    odd = [word for word in words if not word.isascii() or _FOREIGN.fullmatch(word)]
    return (
        len(odd) >= _FOREIGN_WORDS
        or any(_is_in_disguise(word) for word in words)
        or _SPACED.search(sentence) is not None
    )


def _is_in_disguise(word: str) -> bool:
    """Letters of other alphabets, alone or among Latin ones."""
    return any(not unicodedata.name(letter, "").startswith("LATIN") for letter in word)
