"""The page of the day, and the part of it that is fetched again while it is open."""

from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, status
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates

from api.dependencies import AnySandbox, CallingHolder
from api.web.chain_page_words import CHAIN_WORDS
from api.web.sign_in_words import SIGN_IN_WORDS
from api.web.today import today_of
from api.web.words import BREAK_KINDS, STATES, WORDS, Language, word
from ledger.domain.amounts import grouped
from ledger.domain.key_holders import KeyHolder
from ledger.domain.reasons import Reason

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
templates.env.filters["grouped"] = grouped

CONTENT_POLICY: Final = (
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

WHOLE_PAGE: Final = "today.html"

LanguageChoice = Annotated[str | None, Query(alias="lang", max_length=5)]
ShownParticipant = Annotated[str | None, Query(alias="show", max_length=24)]
AcceptedLanguages = Annotated[str | None, Header(alias="accept-language")]


@router.get("/", response_class=HTMLResponse)
def today_page(
    request: Request,
    sandbox: AnySandbox,
    holder: CallingHolder,
    lang: LanguageChoice = None,
    show: ShownParticipant = None,
    accepted: AcceptedLanguages = None,
) -> Response:
    """The whole page."""
    return _render(request, sandbox, holder, WHOLE_PAGE, chosen_language(lang, accepted), show)


@router.get("/parts/today", response_class=HTMLResponse)
def today_part(
    request: Request,
    sandbox: AnySandbox,
    holder: CallingHolder,
    lang: LanguageChoice = None,
    show: ShownParticipant = None,
) -> Response:
    """The part that changes."""
    return _render(request, sandbox, holder, "today_part.html", chosen_language(lang, None), show)


def _render(
    request: Request,
    sandbox: AnySandbox,
    holder: KeyHolder,
    template: str,
    language: Language,
    show: str | None,
) -> Response:
    today = None
    if sandbox.is_ready:
        with sandbox.lock:
            today = today_of(sandbox.consortium, request.app.state.explorer, holder, show)
    context = {
        "today": today,
        "shown": today.shown_participant if today else show or "",
        "failure": "" if today else sandbox.failure or "the sandbox is starting or stopping",
        "language": language,
        **viewer_words(holder, language),
        "t": lambda key: word(WORDS, key, language),
        "c": lambda key: word(CHAIN_WORDS, key, language),
        "in_words": lambda each: each.text if language == "en" else each.text_zh,
        "break_kind": lambda key: word(BREAK_KINDS, key, language),
        "state": lambda key: word(STATES, key, language),
        "cause": lambda name: _cause(Reason[name], language),
    }
    headers = {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"}
    return templates.TemplateResponse(
        request,
        template if today or template == WHOLE_PAGE else "stopped_part.html",
        context,
        status_code=status.HTTP_200_OK if today else status.HTTP_503_SERVICE_UNAVAILABLE,
        headers=headers,
    )


def viewer_words(holder: KeyHolder, language: Language) -> dict[str, object]:
    """As whom one looks, and the words for it."""
    return {
        "viewer": holder.name,
        "s": lambda key: word(SIGN_IN_WORDS, key, language),
    }


def _cause(reason: Reason, language: Language) -> str:
    explanation = reason.explanation
    return explanation.cause_zh if language == "zh" else explanation.cause


def chosen_language(choice: str | None, accepted: str | None) -> Language:
    """The language of a page: the one asked for, else the browser's, else English."""
    if choice in ("en", "zh"):
        return "zh" if choice == "zh" else "en"
    return "zh" if accepted and accepted.strip().lower().startswith("zh") else "en"
