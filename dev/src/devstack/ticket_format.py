"""What a ticket file may say; docs/tickets.md is the same for people. Strict, so that a typo is found."""

from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError
from shared.contracts.text import Label, LongText, Notes, ShortText, Title, Url
from shared.contracts.vocabulary import (
    TERMINAL,
    FixStatus,
    MessageRole,
    Outcome,
    ProposedOutcome,
    SessionStatus,
    Visibility,
)


def _joined(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(map(str, value))
    raise PydanticCustomError("lines", "must be a text, or a list of its lines")


# A long text may be a list of lines: a pasted log stays readable in JSON.
Lines = Annotated[LongText, BeforeValidator(_joined)]
Percent = Annotated[int, Field(ge=0, le=100)]
Refusal = Annotated[int, Field(ge=400, le=499)]


class Part(BaseModel):
    """What all parts have in common: no unknown fields, no silent conversions, no changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TicketRef(Part):
    """The ticket in the helpdesk's own system."""

    system: Label
    id: Label
    url: Url | None = None


class Nothing(Part):
    """The empty object of `{"resolve": {}}`."""


class Message(Part):
    """What somebody said in the chat."""

    role: MessageRole = Field(alias="as")
    text: Lines


class Suggestion(Part):
    """A suggested fix; `name` is what the other steps call it."""

    name: Label
    title: Title
    description: Lines
    confidence_pct: Percent


class Verdict(Part):
    """What came of a fix."""

    fix: Label
    outcome: Outcome
    notes: Notes | None = None


class Guess(Part):
    """The outcome that the AI proposes; `evidence` quotes what was said before."""

    fix: Label
    outcome: ProposedOutcome
    reason: ShortText
    confidence_pct: Percent | None = None
    evidence: tuple[ShortText, ...] = ()


class Step(Part):
    """One request. `expect` is the status of a refusal that belongs to the story; else it must succeed."""

    expect: Refusal | None = None


class PersonStep(Step):
    """A step of a person: `by`, or the ticket's engineer."""

    by: Label | None = None


class Say(PersonStep):
    """A message is added to the chat."""

    say: Message


class Confirm(PersonStep):
    """The engineer confirms a fact."""

    fact: ShortText
    visibility: Visibility = Visibility.CLIENT


class Suggest(Step):
    """The AI suggests a fix."""

    suggest: Suggestion


class Propose(Step):
    """The AI proposes an outcome."""

    propose: Guess


class Reject(PersonStep):
    """The engineer rejects what the AI proposed for this fix."""

    reject: Label


class Apply(PersonStep):
    """The engineer has applied this fix; there is no verdict yet."""

    apply: Label


class Record(PersonStep):
    """The engineer records what came of a fix."""

    record: Verdict


class Resolve(PersonStep):
    """The engineer closes the session as resolved."""

    resolve: Nothing


class Escalate(PersonStep):
    """The engineer hands the session on."""

    escalate: Nothing


class Later(Part):
    """Time passes in the story. Nothing is sent, and the demo does not wait."""

    later: Label


class Race(Part):
    """Verdicts on one fix by different people at the same moment: one counts, the others are told 409."""

    race: tuple[Record, ...] = Field(min_length=2, max_length=8)

    @model_validator(mode="after")
    def _only_one_can_win(self) -> "Race":
        people = {step.by for step in self.race}
        if len({step.record.fix for step in self.race}) > 1:
            raise PydanticCustomError("race", "everyone in a race must record the same fix")
        if None in people or len(people) < len(self.race):
            raise PydanticCustomError("race", "everyone in a race needs a 'by' of their own")
        if any(FixStatus(step.record.outcome) not in TERMINAL for step in self.race):
            raise PydanticCustomError("race", "only outcomes that are final can race: one of them counts")
        if any(step.expect for step in self.race):
            raise PydanticCustomError("race", "nobody knows who loses a race: leave 'expect' out")
        return self


AnyStep = Say | Confirm | Suggest | Propose | Reject | Apply | Record | Resolve | Escalate | Later | Race
VERBS = (
    *("say", "fact", "suggest", "propose", "reject", "apply", "record"),
    *("resolve", "escalate", "later", "race"),
)


def _verb(step: JsonValue) -> str | None:
    verbs = [verb for verb in VERBS if verb in step] if isinstance(step, dict) else []
    return verbs[0] if len(verbs) == 1 else None


TaggedStep = Annotated[
    Annotated[Say, Tag("say")]
    | Annotated[Confirm, Tag("fact")]
    | Annotated[Suggest, Tag("suggest")]
    | Annotated[Propose, Tag("propose")]
    | Annotated[Reject, Tag("reject")]
    | Annotated[Apply, Tag("apply")]
    | Annotated[Record, Tag("record")]
    | Annotated[Resolve, Tag("resolve")]
    | Annotated[Escalate, Tag("escalate")]
    | Annotated[Later, Tag("later")]
    | Annotated[Race, Tag("race")],
    Discriminator(
        _verb,
        custom_error_type="step",
        custom_error_message=f"must be an object with exactly one of {', '.join(VERBS)}",
    ),
]


class Ending(Part):
    """Where the story must end; the demo says so when it ends elsewhere."""

    session: SessionStatus
    fixes: dict[str, FixStatus] = Field(default_factory=dict)


class Ticket(Part):
    """One file: a ticket as it came in, and what happened then, in order."""

    title: Title
    ticket: TicketRef | None = None
    engineer: Label
    intake: Lines
    steps: tuple[TaggedStep, ...] = Field(min_length=1, max_length=500)
    ends_as: Ending | None = None
    keep_out_of_notes: tuple[ShortText, ...] = ()
