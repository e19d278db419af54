"""An answer of the Messages API while it comes in: what it says so far, and what it costs even if it breaks off."""

from anthropic import APIConnectionError
from anthropic.lib.streaming import AsyncMessageStream

from note_generator.answers import Answer, Tokens, writing_so_far
from note_generator.writer import Hear

_CHARACTERS_PER_TOKEN = 3


class Incoming:
    """One answer, which is read once."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._tokens: Tokens | None = None
        self._text = ""

    async def read(self, stream: AsyncMessageStream[None]) -> Answer:
        """The whole answer; each sentence is told as soon as it is there."""
        told = 0
        async for event in stream:
            if event.type == "message_start":
                self._tokens = Tokens.model_validate(event.message.usage)
            elif event.type == "text":
                self._text = event.snapshot
                so_far = writing_so_far(self._text)
                if so_far.length > told:
                    told = so_far.length
                    await self._hear(so_far)
        return self._whole(stream)

    @property
    def tokens(self) -> Tokens | None:
        """What it took. How much was written of an answer that broke off is not said: it is reckoned by its length."""
        if self._tokens is None:
            return None
        written = max(self._tokens.output_tokens, len(self._text) // _CHARACTERS_PER_TOKEN)
        return self._tokens.model_copy(update={"output_tokens": written})

    def _whole(self, stream: AsyncMessageStream[None]) -> Answer:
        message = stream.current_message_snapshot
        if message.stop_reason is None:
            raise APIConnectionError(message="the stream ended too soon", request=stream.response.request)
        answer = Answer.model_validate(message)
        self._tokens, self._text = answer.usage, ""
        return answer
