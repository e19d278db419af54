"""`make test-compose`: docker-compose.yml, unmodified, on a real engine. Brought up, played on, broken, scaled, seen.

Says "skipped: no engine" where none answers. Words choose parts (kills, absences, tools, scales, sights), and
`--no-build` takes the images that are there. It takes a project, ports and secrets of its own, and leaves nothing.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from devstack.demo import play

from compose.parts import PARTS
from compose.project import ROOT, Project, project, say


async def run(project: Project, parts: Sequence[str]) -> None:
    """All of it in order, or some parts."""
    for part in parts or tuple(PARTS):
        await PARTS[part](project)


def sizes(project: Project) -> str:
    """How large the images are."""
    images: list[dict[str, Any]] = json.loads(project.compose("images", "--format", "json"))
    return ", ".join(
        sorted(
            {
                f"{each['Repository']} {each['Size'] / 1e6:.0f} MB"
                for each in images
                if "resolution" in each["Repository"]
            }
        )
    )


def main() -> int:
    """Exit code 0 where all of it holds, or where there is no engine."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            answered = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            answered = False
        if not answered:
            say("skipped: no engine")
            return 0
    parts = [word for word in sys.argv[1:] if word in PARTS]
    with project() as made:
        say(f"up in {made.up(*([] if '--no-build' in sys.argv else ['--build'])):.0f} s; {sizes(made)}")
        secret = (made.secrets / "gateway_jwt_secret").read_text()
        if play(made.url(), secret, ROOT / "examples" / "tickets"):
            raise RuntimeError("the demo failed")
        say("the demo plays")
        asyncio.run(run(made, parts))
    say(f"{', '.join(parts) or 'all of it'} holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
