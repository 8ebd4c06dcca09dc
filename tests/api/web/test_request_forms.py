"""The request that a page shows: each of its forms does the same, with a key from outside."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from api.web.request_forms import Reached, request_forms
from tests.support.clients import SEED, headers_in, key_header

OF_OPERATOR = Reached("http://127.0.0.1:8000/", "OPERATOR", None)
BODY = {"label": "it's $5", "kind": "dvp", "note": 'it is "so", \\ and 券款对付', "long": "x" * 80}


@pytest.mark.parametrize("body", [None, BODY], ids=["read", "write"])
def test_curl_form_says_the_request(body):
    method = "POST" if body else "GET"
    forms = request_forms(OF_OPERATOR, method, "/v1/x?a=1&b='2'", body)

    words = shlex.split(forms.curl.replace("\\\n", ""))
    assert "http://127.0.0.1:8000/v1/x?a=1&b='2'" in words
    assert ("-X" in words) == (body is not None)
    assert headers_in(words) == key_header(seed=SEED) | (
        {"Content-Type": "application/json"} if body else {}
    )
    assert body is None or json.loads(words[words.index("-d") + 1]) == body


def test_python_form_runs_as_it_stands(market, monkeypatch):
    path = "/v1/instructions/DVP-LACKING"
    forms = request_forms(Reached(f"{market.url}/", "OPERATOR", None), "GET", path)
    monkeypatch.setenv("KEY", key_header()["Authorization"].removeprefix("Bearer "))

    here = "import sys, httpx2\nsys.modules['httpx'] = httpx2\n"
    ran = subprocess.run(
        [sys.executable, "-c", here + forms.python], capture_output=True, text=True, check=True
    )

    code, _, answer = ran.stdout.partition(" ")
    assert code == "200"
    assert json.loads(answer)["label"] == "DVP-LACKING"


def test_python_form_writes_its_body():
    forms = request_forms(OF_OPERATOR, "POST", "/v1/x", BODY)
    asked = {}

    class Library:
        """Stands in for the HTTP library and keeps what it was asked."""

        def request(self, method, url, **given):
            asked.update(given, method=method, url=url)
            return self

        status_code, text = 200, ""

    code = forms.python.replace("import httpx\n", "").replace("import os\n", "")
    exec(code, {"httpx": Library(), "os": type("os", (), {"environ": {"KEY": "k"}})})

    assert (asked["method"], asked["json"]) == ("POST", BODY)
    assert asked["headers"] == {"Authorization": "Bearer k"}


def test_key_and_command_are_those_of_who_looks_at_this_server():
    here = Reached("http://127.0.0.1:8000/", "OPERATOR", Path(".novate"))
    there = Reached("http://127.0.0.1:8731/", "BRK-A", Path("/tmp/my market"))
    operator, broker = (
        request_forms(reached, "GET", "/v1", command="queue show") for reached in (here, there)
    )

    assert operator.key == "export KEY=$(.venv/bin/novate key)"
    assert operator.command == 'NOVATE_API_KEY="$KEY" .venv/bin/novate queue show'
    assert broker.key == "export KEY=$(.venv/bin/novate key BRK-A --folder '/tmp/my market')"
    assert broker.command == f"{operator.command} --url http://127.0.0.1:8731"
