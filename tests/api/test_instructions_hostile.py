"""Whatever is sent about instructions, the answer is a problem or a result, and the books agree."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.sandbox.sandbox import SandboxOptions, open_sandbox
from tests.support.clients import key_header
from tests.support.consortia import DAY
from tests.support.servers import served

SENDERS, EACH = 8, 6
FIELDS = {
    "label": "X",
    "kind": "dvp",
    "seller": "BRK-A",
    "buyer": "BRK-B",
    "deliverer": "BRK-A",
    "receiver": "BRK-C",
    "payer": "BRK-B",
    "payee": "BRK-C",
    "instrument": "NOVA1",
    "quantity": "7",
    "amount": "8.00",
    "currency": "CNY",
    "priority": "high",
    "hold": True,
    "partial": False,
    "expires": "23:59",
    "linked_to": ["Y"],
    "by": "BRK-A",
    "algorithm": "fifo",
    "account": "BRK-A",
    "counterparty": "BRK-B",
    "reference": "R",
    "direction": "in",
    "act": "reserve",
    "labels": ["X"],
}
PATHS = [
    ("POST", "/instructions"),
    ("POST", "/instructions/X/hold"),
    ("POST", "/instructions/X/release"),
    ("POST", "/instructions/X/cancel"),
    ("POST", "/instructions/X/prioritise"),
    ("POST", "/instructions/X/settle"),
    ("POST", "/instructions/X/replace"),
    ("POST", "/dry-run/instructions"),
    ("POST", "/queue/resolve"),
    ("PUT", "/limits"),
    ("POST", "/reservations"),
    ("POST", "/sandbox/fund"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["dvp", "fop", "pay", "cash", "securities", "in", "out", "urgent", "X", "Z9"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(sorted(FIELDS)), inner, max_size=3),
    ),
    max_leaves=6,
)
BODIES = st.builds(
    lambda names, wrong: {name: FIELDS[name] for name in names} | wrong,
    st.sets(st.sampled_from(sorted(FIELDS))),
    st.dictionaries(st.sampled_from(sorted(FIELDS)), VALUES, max_size=2),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    options = SandboxOptions(cycle_seconds=0)
    opened = open_sandbox(tmp_path_factory.mktemp("state"), "test", DAY, options=options)
    with (
        served(opened) as server,
        httpx2.Client(
            base_url=f"http://{server.place}/v1", timeout=30, headers=key_header()
        ) as client,
    ):
        yield client


@settings(max_examples=200)
@given(route=st.sampled_from(PATHS), body=st.one_of(BODIES, VALUES))
def test_any_body_is_answered_with_a_result_or_a_problem(client, route, body):
    content = json.dumps(body).encode()
    answer = client.request(*route, content=content, headers={"content-type": "application/json"})

    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]


def test_many_senders_at_once_are_all_answered_and_everything_settles(client):
    place = client.base_url

    def send(sender):
        with httpx2.Client(base_url=place, timeout=60, headers=key_header()) as own:
            for number in range(EACH):
                # Every label comes from two senders, with the same terms.
                label = f"MANY-{sender // 2}-{number}"
                body = {
                    "label": label,
                    "kind": "dvp",
                    "seller": "BRK-A/client",
                    "buyer": "BRK-B/client",
                    "instrument": "NOVA3",
                    "quantity": "3",
                    "amount": "4.00",
                }
                yield own.post("/instructions", json=body).status_code

    with ThreadPoolExecutor(SENDERS) as pool:
        statuses = [
            each for sent in pool.map(lambda s: list(send(s)), range(SENDERS)) for each in sent
        ]

    assert sorted(statuses) == [200] * (SENDERS * EACH // 2) + [201] * (SENDERS * EACH // 2)
    for sender in range(SENDERS // 2):
        for number in range(EACH):
            label = f"MANY-{sender}-{number}"
            client.post(f"/instructions/{label}/settle", json={"by": "BRK-A"})
            assert client.get(f"/instructions/{label}").json()["state"] == "settled"


def test_books_agree_after_all_of_this(client):
    agreed = client.get("/reconciliation").json()

    assert agreed["agrees"], agreed["breaks"]
