"""A profile as a file, for the processes that make its load."""

import json
from dataclasses import asdict
from pathlib import Path

from loadtests.profile import Profile


def write_profile(path: Path, profile: Profile) -> None:
    """Writes a profile so that ``read_profile`` reads the same."""
    table = asdict(profile)
    parts = {name: value for name, value in table.items() if isinstance(value, dict)}
    lines = [_line(name, value) for name, value in table.items() if name not in parts]
    for name, part in parts.items():
        lines += ["", f"[{name}]", *(_line(key, value) for key, value in part.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(name: str, value: object) -> str:
    # Texts and numbers of JSON are those of TOML.
    return f"{name} = {json.dumps(value)}"
