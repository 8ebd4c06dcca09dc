"""Clients with a key: of the operator, who may do everything, unless another holder is named."""

from fastapi import FastAPI
from fastapi.testclient import TestClient

from nodes.api_keys import OPERATOR, seeded_secret

SEED = "test"
"""Of the sandboxes that tests open, unless they say otherwise."""


def key_header(name: str = OPERATOR.name, seed: str = SEED) -> dict[str, str]:
    """The header with the key of a holder."""
    return {"Authorization": f"Bearer {seeded_secret(seed, name)}"}


def headers_in(words: list[str]) -> dict[str, str]:
    """The headers of a curl command of the documentation, with the operator's key for $KEY."""
    key = seeded_secret(SEED, OPERATOR.name)
    given = [words[i + 1] for i in range(len(words)) if words[i] == "-H"]
    return dict(each.replace("$KEY", key).split(": ") for each in given)


def client_of(app: FastAPI, name: str = OPERATOR.name) -> TestClient:
    """A client of an application, with the key of a holder."""
    seed = app.state.sandbox.consortium.network.seed
    return TestClient(app, headers=key_header(name, seed))
