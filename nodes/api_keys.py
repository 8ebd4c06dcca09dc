"""Keys to the interface of a sandbox: one a participant, one for the operator, one to look on.

Like the signing keys they follow from the seed of the network: whoever knows the seed knows them.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.domain.key_holders import KeyHolder, KeyRole
from ledger.domain.participants import Role
from nodes.keys import KEY_FILE_MODE, fresh_secret
from nodes.network import Network

KEY_FILE: Final = "api-keys.json"
OPERATOR: Final = KeyHolder("OPERATOR", KeyRole.OPERATOR, None)
REGULATOR: Final = KeyHolder("REGULATOR", KeyRole.REGULATOR, None)
"""Looks on where no participant is the regulator."""
_PREFIX: Final = "nvk"


class KeyFileError(Exception):
    """There is no file of keys, it is not one, or it lacks the key."""


@dataclass(frozen=True, slots=True)
class SeededKey:
    """A key that follows from the seed, and whose it is."""

    secret: str
    holder: KeyHolder


def seeded_secret(seed: str, name: str) -> str:
    """The key of a name in a sandbox with this seed."""
    digest = hashlib.sha256(f"novate api key|{seed}|{name}".encode()).hexdigest()
    return f"{_PREFIX}_{name}_{digest}"


def fresh_key(name: str) -> str:
    """A key that nobody has had before."""
    return f"{_PREFIX}_{name}_{fresh_secret()}"


def holders(network: Network) -> dict[str, KeyHolder]:
    """Everybody who has a key here, by name."""
    found = {
        each.id: KeyHolder(each.id, KeyRole(each.role.value), each.id)
        for each in network.participants
    }
    if not network.of_role(Role.REGULATOR):
        found[REGULATOR.name] = REGULATOR
    return found | {OPERATOR.name: OPERATOR}


def seeded_keys(network: Network) -> dict[str, SeededKey]:
    """The keys of a sandbox, by the name of the holder."""
    return {
        name: SeededKey(seeded_secret(network.seed, name), holder)
        for name, holder in holders(network).items()
    }


def write_key_file(state: Path, network: Network) -> Path:
    """Writes the keys of a sandbox into its folder, for its user alone to read."""
    path = state / KEY_FILE
    unfinished = path.with_name(f"{path.name}.unfinished")
    text = json.dumps({name: key.secret for name, key in seeded_keys(network).items()}, indent=1)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(unfinished, flags, KEY_FILE_MODE), "w") as file:
        file.write(text + "\n")
    unfinished.replace(path)
    return path


def key_in_file(state: Path, name: str) -> str:
    """The key of a holder. Raises KeyFileError."""
    path = state / KEY_FILE
    try:
        secrets = json.loads(path.read_text())
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise KeyFileError(f"{path} holds no keys: {error}") from error
    if not isinstance(secrets, dict) or not isinstance(secrets.get(name), str):
        known = ", ".join(secrets) if isinstance(secrets, dict) else "no names"
        raise KeyFileError(f"{path} has no key of {name}: expected one of {known}")
    return str(secrets[name])
