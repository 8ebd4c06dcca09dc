"""A visit to a page: who looks, in which language, and how what is shown becomes an answer.

A screen is a package: ``page.py`` with its routes, ``shown.py`` with what it shows, ``words.py``
with its words; its templates are in ``templates/`` under the same name and extend ``shell.html``.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Depends, Header, Query, Request, status
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from api.access.access import Access
from api.web.places import PLACES
from api.web.request_forms import Reached, request_forms
from api.web.shell_words import SHELL_WORDS
from api.web.words import BREAK_KINDS, KEY_ROLES, STATES, TRADE_STATES, Language, Words, word
from ledger.books.interface.api_keys import ApiKey
from ledger.domain.amounts import grouped
from ledger.domain.key_holders import KeyHolder, KeyRole
from ledger.domain.reasons import Reason

HOME: Final = "/"

templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
templates.env.filters["grouped"] = grouped
templates.env.filters["quoted"] = shlex.quote
"""For a word of a command: what others have written must not become a command of its own."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Cache-Control": "no-store",
}
"""Of every page. Scripts and styles are files of this server; nothing is written into a page."""

LanguageChoice = Annotated[str | None, Query(alias="lang", max_length=5)]
AcceptedLanguages = Annotated[str | None, Header(alias="accept-language")]


class Visit:
    """One look at one page. ``viewer`` is nobody's name where nobody has signed in."""

    def __init__(self, request: Request, language: Language) -> None:
        key = getattr(request.state, "key", None)
        self.request = request
        self.language = language
        self.key: ApiKey | None = key if isinstance(key, ApiKey) else None
        begun_with = getattr(request.state, "begun_with", None)
        self.begun_with: ApiKey | None = begun_with if isinstance(begun_with, ApiKey) else None

    @property
    def begun_as(self) -> str:
        """Whose key one has signed in with; nobody's name without a session."""
        return self.begun_with.holder.name if self.begun_with else ""

    @property
    def is_as_another(self) -> bool:
        """Whether one looks as somebody else than one has signed in as."""
        return self.begun_with is not None and self.viewer != self.begun_as

    @property
    def others(self) -> Sequence[KeyHolder]:
        """As whom one may look besides oneself: the operator as anybody, others as nobody."""
        if self.begun_with is None or self.begun_with.holder.role is not KeyRole.OPERATOR:
            return ()
        access: Access = self.request.app.state.access
        own = self.begun_with.holder
        return [each for each in access.holders.values() if each != own]

    @property
    def here(self) -> str:
        """This page, for coming back to it; of what was sent by a form, the day."""
        if self.request.method not in ("GET", "HEAD"):
            return self.link(HOME)
        query = self.request.url.query
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    @property
    def viewer(self) -> str:
        """As whom one looks."""
        return self.key.holder.name if self.key else ""

    def link(self, path: str, /, **query: object) -> str:
        """A link that keeps the language; parts of the query that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return f"{path}?{urlencode({'lang': self.language} | given)}"

    def other_language(self) -> str:
        """The same page in the other language."""
        query = {name: text for name, text in self.request.query_params.items() if name != "lang"}
        # What a form was sent to cannot be looked at again.
        is_looked_at = self.request.method in ("GET", "HEAD")
        here = "?" if is_looked_at else f"{HOME}?"
        return here + urlencode({"lang": "en" if self.language == "zh" else "zh"} | query)

    def word(self, table: Words, key: str) -> str:
        """A word of a table in the language of the visit."""
        return word(table, key, self.language)

    def cause(self, reason: Reason | str) -> str:
        """Why something is refused or waits, in a sentence."""
        explanation = (Reason[reason] if isinstance(reason, str) else reason).explanation
        return explanation.cause_zh if self.language == "zh" else explanation.cause

    def remedy(self, reason: Reason | str) -> str:
        """What to do about a refusal, in a sentence."""
        explanation = (Reason[reason] if isinstance(reason, str) else reason).explanation
        return explanation.remedy_zh if self.language == "zh" else explanation.remedy

    def _reached(self) -> Reached:
        folder = self.request.app.state.sandbox.consortium.path
        return Reached(str(self.request.base_url), self.viewer, folder)

    def answer(
        self, template: str, words: Words, code: int = status.HTTP_200_OK, **shown: object
    ) -> Response:
        """A page, or a part of one, that shows something.

        In templates ``t`` gives a word of the page's table or of the shell's.
        """
        table = {**SHELL_WORDS, **words}
        context = {
            "visit": self,
            "language": self.language,
            "viewer": self.viewer,
            "places": PLACES,
            "link": self.link,
            "t": lambda key: word(table, key, self.language),
            "in_words": lambda each: each.text if self.language == "en" else each.text_zh,
            "break_kind": lambda key: self.word(BREAK_KINDS, key),
            "state": lambda key: self.word(STATES, key),
            "trade_state": lambda key: self.word(TRADE_STATES, key),
            "key_role": lambda role: self.word(KEY_ROLES, role.value),
            "cause": self.cause,
            "request_forms": lambda *asked: request_forms(self._reached(), *asked),
            "remedy_of": self.remedy,
        }
        return templates.TemplateResponse(
            self.request, template, context | shown, status_code=code, headers=HEADERS
        )


def visit_of(
    request: Request, lang: LanguageChoice = None, accepted: AcceptedLanguages = None
) -> Visit:
    """The visit that a request makes."""
    return Visit(request, chosen_language(lang, accepted))


def chosen_language(choice: str | None, accepted: str | None) -> Language:
    """The language of a page: the one asked for, else the browser's, else English."""
    if choice in ("en", "zh"):
        return "zh" if choice == "zh" else "en"
    return "zh" if accepted and accepted.strip().lower().startswith("zh") else "en"


Visiting = Annotated[Visit, Depends(visit_of)]
