"""Where a PostgreSQL database is: said with its password once, shown and kept without."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ledger.domain.errors import MalformedError

_NAMES: Final = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_SECRETS: Final = ("password", "sslpassword")
_DEFAULT_PORT: Final = 5432
_FORM: Final = "a URL such as postgresql://user@host:5432/database"


@dataclass(frozen=True, slots=True, repr=False)
class DatabaseUrl:
    """A database on a server, and who connects to it. ``shown`` is it without any secret."""

    url: URL

    @classmethod
    def parse(cls, text: str) -> "DatabaseUrl":
        """Raises MalformedError, in which no password stands."""
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise MalformedError(_FORM, "something else") from None
        if url.drivername not in _NAMES or not url.database:
            raise MalformedError(_FORM, _without_secrets(url).render_as_string())
        return cls(url.set(drivername="postgresql+psycopg"))

    @property
    def has_password(self) -> bool:
        """Whether a secret stands in it."""
        return self.url.password is not None or any(name in self.url.query for name in _SECRETS)

    @property
    def shown(self) -> str:
        """The URL without its secrets; it may be kept and shown."""
        return _without_secrets(self.url).set(drivername="postgresql").render_as_string()

    def is_same_database(self, other: "DatabaseUrl") -> bool:
        """Whether both name one database, whoever connects and however."""
        return self.place == other.place

    def __repr__(self) -> str:
        """Without its secrets: it may come to stand in a log."""
        return f"DatabaseUrl({self.shown!r})"

    @property
    def place(self) -> tuple[object, ...]:
        """Which server and which database on it."""
        asked = self.url.query
        host, port = asked.get("host", self.url.host), asked.get("port", self.url.port)
        return host or "", str(port or _DEFAULT_PORT), self.url.database


def _without_secrets(url: URL) -> URL:
    # The password is left out, not starred: what is kept is a URL that connects.
    plain = URL.create(
        url.drivername, url.username, None, url.host, url.port, url.database, url.query
    )
    return plain.difference_update_query(_SECRETS)
