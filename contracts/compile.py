"""Compiles the contracts into ``contracts/artifacts``: ``make contracts``; needs the ``dev`` extra.

An artifact is the ABI, both bytecodes, and the SHA-256 of every source that went in. Artifacts are
committed, so that running the product needs no compiler; a test recompiles and compares them.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

from vyper.cli.vyper_compile import compile_files  # type: ignore[import-untyped] # ships no types

from contracts.artifacts import ARTIFACTS_FOLDER, CONTRACTS_FOLDER, Artifact

DEPLOYABLES: Final = ("Participants", "Securities", "Cash", "Settlement", "Inclusion")
_FORMATS: Final = ("abi", "bytecode", "bytecode_runtime")


def compile_contract(name: str) -> Artifact:
    """The artifact of one deployable, compiled now with the default pipeline for Cancun."""
    source = CONTRACTS_FOLDER / f"{name}.vy"
    outputs = compile_files([str(source)], _FORMATS, paths=[str(CONTRACTS_FOLDER)])
    output = next(iter(outputs.values()))
    return Artifact(
        name=name,
        abi=sorted(output["abi"], key=lambda entry: (entry["type"], entry.get("name", ""))),
        bytecode=output["bytecode"],
        runtime_bytecode=output["bytecode_runtime"],
        sources=_source_hashes(name),
    )


def write_artifacts() -> list[Path]:
    """Compiles all deployables and writes their artifacts; returns the files."""
    written = []
    for name in DEPLOYABLES:
        path = ARTIFACTS_FOLDER / f"{name}.json"
        path.write_text(json.dumps(compile_contract(name).to_json(), indent=1) + "\n")
        written.append(path)
    return written


def _source_hashes(name: str) -> dict[str, str]:
    files = [
        CONTRACTS_FOLDER / f"{name}.vy",
        *sorted(CONTRACTS_FOLDER.glob("modules/*.vy")),
        *sorted(CONTRACTS_FOLDER.glob("interfaces/*.vyi")),
    ]
    return {
        file.relative_to(CONTRACTS_FOLDER).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


if __name__ == "__main__":
    for path in write_artifacts():
        print(path)  # noqa: T201 # the build step says what it wrote
