"""What the demo prints: a live bar on a terminal, plain lines elsewhere."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text
from shared.contracts.views import Note

from devstack.play import Played

PLAIN_WIDTH = 150


class Screen:
    """Use as a context while tickets are played: the bar lives as long."""

    def __init__(self, tickets: int) -> None:
        self._console = Console()
        if not self._console.is_terminal:
            self._console = Console(width=PLAIN_WIDTH)
        columns = TextColumn("playing"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
        live = self._console.is_terminal
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not live)
        self._task = self._bar.add_task("", total=tickets)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def line(self, text: str, style: str = "") -> None:
        """One line, whatever its length; nothing in it is taken for markup or for terminal control."""
        self._console.print(_harmless(text), style=style, markup=False, highlight=False, soft_wrap=True)

    def story(self, played: Played) -> None:
        """A ticket that has just been played."""
        style = "bold red" if played.trouble else "bold green"
        self.line(f"{played.name}  ({played.seconds:.1f} s)  {played.ticket.title}", style)
        for line in played.story:
            self.line(f"    {_shortened(line, played.ticket.keep_out_of_notes)}")
        if played.trouble:
            self.line(f"    OTHERWISE THAN THE FILE SAYS: {played.trouble}", "bold red")
        self._bar.update(self._task, advance=1, description=played.name)

    def note(self, why: str, played: Played, note: Note, *, from_cache: bool) -> None:
        """A document as an engineer would see it."""
        origin = f"{note.generator}, state_version {note.state_version}, from_cache {str(from_cache).lower()}"
        self.line(f"\n{note.kind.replace('_', ' ')} · {why} · {played.name}", "bold")
        self.line(origin)
        if self._console.is_terminal:
            self._console.print(Panel(Markdown(_harmless(note.markdown), hyperlinks=False)))
        else:
            self.line(f"-----\n{note.markdown.rstrip()}\n-----")

    def table(self, title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows in columns under a title."""
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in header:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(Text(_harmless(cell)) for cell in row))
        self._console.print(table)


def _harmless(text: str) -> str:
    return "".join(char for char in text if char.isprintable() or char == "\n")


def _shortened(line: str, secrets: Sequence[str], length: int = 140) -> str:
    for secret in secrets:
        line = line.replace(secret, "*" * 6)
    line = " ".join(line.splitlines())
    return line if len(line) <= length else line[: length - 1] + "…"
