"""What became of the forms that were sent, for the pages that are shown next.

A form is answered by leading on to a page, so that loading that page again sends nothing again.
What the page is to say is kept here meanwhile, for whoever sent the form; the address names it by a
number that nobody can guess, so that no link can put words into a page.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from api.errors import Remedy
from ledger.domain.reasons import Rejected
from nodes.keys import fresh_secret

OUTCOMES_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one form.

    Attributes:
        said: the key of the sentence that says it, with ``values`` for what it leaves open.
        refusal: why nothing was done; None when it was.
        form: what was sent, for the form to show it again when it was refused.
        result: what more there is to show.
    """

    said: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    refusal: Rejected | None = None
    remedy: Remedy | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    result: Any = None


class Outcomes:
    """The last ones of an application; the oldest goes when there are too many."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, str], Outcome] = OrderedDict()

    def keep(self, viewer: str, outcome: Outcome) -> str:
        """Keeps an outcome for whoever sent the form; the number that names it."""
        number = fresh_secret()
        with self._lock:
            self._kept[viewer, number] = outcome
            if len(self._kept) > OUTCOMES_MAX:
                self._kept.popitem(last=False)
        return number

    def find(self, viewer: str, number: str) -> Outcome | None:
        """The outcome of a number; None when it is somebody else's, or not kept any more."""
        return self._kept.get((viewer, number))

    def forget(self, viewer: str, number: str) -> None:
        """Keeps an outcome no longer: what it says was to be seen once."""
        with self._lock:
            self._kept.pop((viewer, number), None)
