"""What events are read off: each source has a cursor, and tells what is new since."""

from typing import Any, Protocol

from nodes.journal.event import Draft


class Source(Protocol):
    """Part of what the nodes keep. A cursor is JSON; the same books since it tell the same."""

    name: str

    def present(self) -> Any:  # noqa: ANN401 # JSON of the source's own form
        """The cursor of whoever knows everything so far."""

    def since(self, cursor: Any) -> tuple[list[Draft], Any]:  # noqa: ANN401 # as above
        """What has happened since, and the cursor after it."""
