"""The keys of the interface: who holds which, kept as hashes, and which are revoked.

A key has 32 bytes that nobody can guess, so that one round of SHA-256 is enough to keep it.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

from sqlmodel import Field, Session, SQLModel, col, delete, select

from ledger.books.database import Database
from ledger.domain.key_holders import KeyHolder, KeyRole
from ledger.domain.reasons import Reason, Rejected

KEYS_MAX: Final = 10_000
_ID_DIGITS: Final = 16
_NO_DIGEST: Final = bytes(32)

Same = Callable[[bytes, bytes], bool]


class ApiKeyRow(SQLModel, table=True):
    """One key. ``revoked_at`` is None while it is good."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    digest: bytes
    name: str
    role: str
    participant: str | None
    is_from_seed: bool
    made_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key, which is not the key. Times in seconds since 1970."""

    id: str
    digest: bytes
    holder: KeyHolder
    is_from_seed: bool
    made_at: int
    revoked_at: int | None


class ApiKeys:
    """Every key that was ever good here. Reads are from memory, changes are on disk first."""

    def __init__(self, database: Database, same: Same = hmac.compare_digest) -> None:
        self._database = database
        self._same = same
        self._lock = Lock()
        with database.reading() as session:
            rows = session.exec(select(ApiKeyRow).order_by(col(ApiKeyRow.made_at))).all()
        self._key_by_digest = {row.digest: _key_of(row) for row in rows}

    def find(self, secret: str) -> ApiKey | None:
        """The key that was presented, unless nobody has it or it is revoked.

        Hashes are looked up and compared, in the same time whatever they are.
        """
        digest = digest_of(secret)
        found = self._key_by_digest.get(digest)
        is_same = self._same(found.digest if found else _NO_DIGEST, digest)
        return found if found and is_same and found.revoked_at is None else None

    def is_good(self, key: ApiKey) -> bool:
        """Whether a key that was good before still is."""
        known = self._key_by_digest.get(key.digest)
        return known is not None and known.revoked_at is None

    def get(self, id: str) -> ApiKey | None:
        """A key by its id, revoked ones too."""
        return next((each for each in self.all() if each.id == id), None)

    def all(self) -> list[ApiKey]:
        """Every key, oldest first, revoked ones too."""
        return list(self._key_by_digest.values())

    def add(self, secret: str, holder: KeyHolder, now: int) -> ApiKey | Rejected:
        """Makes a key good. Raises StorageError."""
        with self._lock:
            if len(self._key_by_digest) >= KEYS_MAX:
                return Rejected(Reason.RULES, f"there are {KEYS_MAX} keys, more are not kept")
            key = _new_key(secret, holder, now, is_from_seed=False)
            with self._database.transaction() as session:
                session.add(_row_of(key))
            self._key_by_digest = {**self._key_by_digest, key.digest: key}
            return key

    def revoke(self, id: str, now: int) -> ApiKey | Rejected:
        """Makes a key good for nothing, from now on. Raises StorageError."""
        with self._lock:
            key = self.get(id)
            if key is None:
                return Rejected(Reason.UNKNOWN, f"there is no key {id}")
            if key.revoked_at is not None:
                return key
            if key.holder.role is KeyRole.OPERATOR and self._operators() == 1:
                detail = f"{id} is the last key of the operator: make another one first"
                return Rejected(Reason.RULES, detail)
            revoked = replace(key, revoked_at=now)
            with self._database.transaction() as session:
                session.merge(_row_of(revoked))
            self._key_by_digest = {**self._key_by_digest, key.digest: revoked}
            return revoked

    def keep_seeded(self, holder_by_secret: Mapping[str, KeyHolder], now: int) -> None:
        """Keeps the keys that follow from the seed, and no good one of another seed's.

        One that was revoked stays revoked, whatever seed comes in between. Raises StorageError.
        """
        with self._lock:
            seeded = [
                _new_key(secret, holder, now, is_from_seed=True)
                for secret, holder in holder_by_secret.items()
            ]
            wanted = {key.digest for key in seeded}
            known = self._key_by_digest
            others = {
                digest: key
                for digest, key in known.items()
                if key.is_from_seed and key.revoked_at is None and digest not in wanted
            }
            new = [key for key in seeded if key.digest not in known]
            with self._database.transaction() as session:
                _forget(session, [key.id for key in others.values()])
                session.add_all(_row_of(key) for key in new)
            kept = {d: key for d, key in known.items() if d not in others}
            self._key_by_digest = kept | {key.digest: key for key in new}

    def _operators(self) -> int:
        """How many keys of the operator are good."""
        keys = self.all()
        return sum(k.holder.role is KeyRole.OPERATOR and k.revoked_at is None for k in keys)


def digest_of(secret: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode()).digest()


def _new_key(secret: str, holder: KeyHolder, now: int, *, is_from_seed: bool) -> ApiKey:
    digest = digest_of(secret)
    id = f"key_{digest.hex()[:_ID_DIGITS]}"
    return ApiKey(id, digest, holder, is_from_seed, now, None)


def _forget(session: Session, ids: Iterable[str]) -> None:
    for id in ids:
        session.exec(delete(ApiKeyRow).where(col(ApiKeyRow.id) == id))


def _key_of(row: ApiKeyRow) -> ApiKey:
    holder = KeyHolder(row.name, KeyRole(row.role), row.participant)
    return ApiKey(row.id, row.digest, holder, row.is_from_seed, row.made_at, row.revoked_at)


def _row_of(key: ApiKey) -> ApiKeyRow:
    return ApiKeyRow(
        id=key.id,
        digest=key.digest,
        name=key.holder.name,
        role=key.holder.role.value,
        participant=key.holder.participant,
        is_from_seed=key.is_from_seed,
        made_at=key.made_at,
        revoked_at=key.revoked_at,
    )
