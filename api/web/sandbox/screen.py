"""What the pages of the sandbox share: their navigation, who may do what, and what forms answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request, status
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from api.errors import RefusedError
from api.expected_forms import faults_in_words
from api.policies import roles_for
from api.web.outcomes import Outcome, Outcomes
from api.web.sandbox.words import SANDBOX_WORDS
from api.web.visit import Visit, Visiting
from ledger.books.database import StorageError
from ledger.domain.errors import MalformedError
from ledger.domain.reasons import Reason, Rejected
from nodes.bus import UnreachableError

SAID: Final = "said"
_NUMBER_CHARS_MAX: Final = 64
_REFUSALS: Final = (
    RefusedError,
    ValidationError,
    MalformedError,
    UnreachableError,
    StorageError,
)
"""What is told in a page; anything else is a bug and ends in the log."""


@dataclass(frozen=True, slots=True)
class Section:
    """A page of the sandbox in its own navigation."""

    path: str
    word: str


SECTIONS: Final = (
    Section("/sandbox", "section_market"),
    Section("/sandbox/clock", "section_clock"),
    Section("/sandbox/faults", "section_faults"),
    Section("/sandbox/scenarios", "section_scenarios"),
    Section("/sandbox/snapshots", "section_snapshots"),
    Section("/sandbox/requests", "section_requests"),
    Section("/sandbox/events", "section_events"),
    Section("/sandbox/webhooks", "section_webhooks"),
)


@dataclass(frozen=True, slots=True)
class Screen:
    """A visit to one of the pages."""

    visit: Visit
    outcomes: Outcomes

    @property
    def outcome(self) -> Outcome:
        """What became of the form that led here."""
        return self.outcomes.find(self.visit.viewer, self._number) or Outcome()

    def forget(self) -> None:
        """What became of the form was to be seen once."""
        self.outcomes.forget(self.visit.viewer, self._number)

    @property
    def _number(self) -> str:
        return self.visit.request.query_params.get(SAID, "")[:_NUMBER_CHARS_MAX]

    def may(self, name: str) -> bool:
        """Whether the visitor may call a route, by its method and path."""
        key = self.visit.key
        return key is not None and key.holder.role in roles_for(name)

    def answer(self, template: str, **shown: Any) -> Response:  # noqa: ANN401 # whatever is shown
        """A page of the sandbox. In templates ``given`` is what was sent, when it was refused."""
        outcome = self.outcome
        was_refused = outcome.refusal is not None
        path = self.visit.request.url.path
        longest = max((s.path for s in SECTIONS if path.startswith(s.path)), key=len, default="")
        return self.visit.answer(
            f"sandbox/{template}.html",
            SANDBOX_WORDS,
            sections=SECTIONS,
            section=longest,
            outcome=outcome,
            told=self._told(outcome),
            may=self.may,
            given=lambda name, default="": outcome.form.get(name, "") if was_refused else default,
            **shown,
        )

    def lead_on(self, path: str, outcome: Outcome, outcomes: Outcomes) -> Response:
        """Leads to the page that says what became of a form."""
        number = outcomes.keep(self.visit.viewer, outcome)
        target = self.visit.link(path, **{SAID: number})
        return RedirectResponse(f"{target}#told", status.HTTP_303_SEE_OTHER)

    def carry_out(self, path: str, form: Mapping[str, str], act: Callable[[], Outcome]) -> Response:
        """Does what a form asks for, and leads to the page that says what became of it."""
        try:
            outcome = act()
        except _REFUSALS as error:
            outcome = _refused(error, form)
        return self.lead_on(path, outcome, self.outcomes)

    async def carry_out_later(
        self,
        path: str,
        form: Mapping[str, str],
        act: Callable[[], Awaitable[Outcome]],
        outcomes: Callable[[], Outcomes],
    ) -> Response:
        """The same, of what is waited for, and after which another application may be served."""
        try:
            outcome = await act()
        except _REFUSALS as error:
            outcome = _refused(error, form)
        return self.lead_on(path, outcome, outcomes())

    def _told(self, outcome: Outcome) -> str:
        """The sentence that says what was done; empty when nothing was."""
        if not outcome.said:
            return ""
        return self.visit.word(SANDBOX_WORDS, outcome.said).format(**outcome.values)


def whole_number(form: Mapping[str, str], name: str) -> Any:  # noqa: ANN401 # what it holds
    """A field as the number it is to hold; as it came when it is none, for the check to say so."""
    text = form.get(name, "").strip()
    try:
        return int(text) if len(text) <= _NUMBER_CHARS_MAX else text
    except ValueError:
        return text


def outcomes_of(request: Request) -> Outcomes:
    """The outcomes of the application."""
    outcomes = request.app.state.outcomes
    assert isinstance(outcomes, Outcomes)
    return outcomes


def screen_of(visit: Visiting, request: Request) -> Screen:
    """A visit to a page."""
    return Screen(visit, outcomes_of(request))


def _refused(error: Exception, form: Mapping[str, str]) -> Outcome:
    remedy = None
    match error:
        case RefusedError():
            refusal, remedy = error.refusal, error.remedy
        case ValidationError():
            refusal = Rejected(Reason.INVALID, faults_in_words(error.errors()))
        case UnreachableError():
            refusal = Rejected(Reason.SILENT, str(error))
        case StorageError():
            refusal = Rejected(Reason.STORAGE, str(error))
        case _:
            refusal = Rejected(Reason.INVALID, str(error))
    return Outcome(refusal=refusal, remedy=remedy, form=form)


Shown = Annotated[Screen, Depends(screen_of)]
