"""The deterministic writer: complete, and good enough to be posted as it is."""

from shared.contracts.vocabulary import NoteKind

from note_generator.domain import escalation_package, resolution_note
from note_generator.domain.bundle import Bundle
from note_generator.domain.wording import HEADINGS


def document(bundle: Bundle) -> str:
    """The markdown of the bundle's kind, with exactly its headings."""
    if bundle.kind is NoteKind.RESOLUTION_NOTE:
        sections: tuple[str, ...] = resolution_note.sections(bundle)
    else:
        sections = escalation_package.sections(bundle)
    parts = zip(HEADINGS[bundle.kind], sections, strict=True)
    return "\n\n".join(f"{heading}\n\n{section}" for heading, section in parts) + "\n"
