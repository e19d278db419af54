"""What fix-outcomes knows of a session: asked over the broker, answered with everything a note is written from."""

from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

from shared.contracts import topology
from shared.contracts.queries import GetSnapshot, Query, QueryBatch
from shared.contracts.views import Snapshot
from shared.contracts.vocabulary import Service
from shared.courier import Courier, CourierError, Destination

from note_generator.outage import RecordAway
from shared import telemetry


class SessionUnknown(Exception):
    """This account has no such session."""


class QuestionRefused(Exception):
    """fix-outcomes answered with something that makes no sense here; asking again will not help."""


class Record:
    """Asks for snapshots. Questions of many sessions travel together."""

    def __init__(self, *, amqp_url: str, replica: str, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._courier: Courier[Query] = Courier(
            url=amqp_url,
            service=Service.NOTE_GENERATOR,
            replica=replica,
            destination=Destination(
                exchange=topology.QUERIES,
                routing_key=topology.FIX_OUTCOMES_QUERIES.routing_key,
                persistent=False,
                encode=_encode,
            ),
        )

    @property
    def ready(self) -> bool:
        """Whether questions can be sent right now."""
        return self._courier.ready

    async def start(self) -> None:
        """Connect; connecting goes on in the background where it takes long."""
        await self._courier.start()

    async def stop(self) -> None:
        """Close."""
        await self._courier.stop()

    async def snapshot(self, *, account_id: UUID, session_id: UUID) -> Snapshot:
        """The session as it is now. Raises `RecordAway`, `SessionUnknown`, or what makes the message a failed one."""
        question, trace = GetSnapshot(session_id=session_id), telemetry.current()
        try:
            answer = await self._courier.ask(
                lambda ref: Query(ref=ref, account_id=account_id, traceparent=trace, question=question),
                timeout_s=self._timeout_s,
            )
        except CourierError as error:
            raise RecordAway(str(error)) from error
        if answer.status == HTTPStatus.OK:
            return Snapshot.model_validate(answer.body)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise SessionUnknown(str(answer.body.get("detail", "")))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RecordAway(f"fix-outcomes answered {answer.status}")
        raise QuestionRefused(f"fix-outcomes answered {answer.status}")


def _encode(queries: Sequence[Query]) -> bytes:
    return QueryBatch(queries=tuple(queries)).model_dump_json().encode()
