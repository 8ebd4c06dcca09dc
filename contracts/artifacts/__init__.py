"""The compiled contracts, as committed."""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

ARTIFACTS_FOLDER: Final = Path(__file__).parent
CONTRACTS_FOLDER: Final = ARTIFACTS_FOLDER.parent


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract. Bytecodes are hex text with ``0x``."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    runtime_bytecode: str
    sources: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """What is written to the artifact's file."""
        return asdict(self)


@cache
def artifact(name: str) -> Artifact:
    """The committed artifact of a contract."""
    return Artifact(**json.loads((ARTIFACTS_FOLDER / f"{name}.json").read_text()))
