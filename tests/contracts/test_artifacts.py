"""The committed artifacts are what the committed sources compile to."""

import json

import pytest

from contracts.artifacts import ARTIFACTS_FOLDER
from contracts.compile import DEPLOYABLES, compile_contract


@pytest.mark.parametrize("name", DEPLOYABLES)
def test_artifact_is_what_the_source_compiles_to(name):
    committed = json.loads((ARTIFACTS_FOLDER / f"{name}.json").read_text())

    assert compile_contract(name).to_json() == committed


@pytest.mark.parametrize("name", DEPLOYABLES)
def test_runtime_bytecode_fits_the_size_limit_of_eip_170(name):
    runtime = json.loads((ARTIFACTS_FOLDER / f"{name}.json").read_text())["runtime_bytecode"]

    assert len(runtime) // 2 <= 24_576
