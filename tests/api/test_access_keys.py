"""Keys: how they are sent, what is no key, and how they are made and revoked."""

import hmac
import stat

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.books.database import open_database
from ledger.books.interface.api_keys import ApiKeys, digest_of
from ledger.books.interface.tables import interface_tables
from ledger.domain.key_holders import KeyHolder, KeyRole
from ledger.domain.reasons import Reason
from nodes.api_keys import (
    OPERATOR,
    KeyFileError,
    key_in_file,
    seeded_keys,
    seeded_secret,
    write_key_file,
)
from nodes.sandbox.network import sandbox_network
from nodes.sandbox.sandbox import open_sandbox
from tests.support.clients import SEED, client_of, key_header
from tests.support.consortia import DAY

KEY = seeded_secret(SEED, "BRK-A")
BROKER = KeyHolder("BRK-A", KeyRole.BROKER, "BRK-A")
CHAIN = "/v1/chain/blocks"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    app = create_app(open_sandbox(tmp_path_factory.mktemp("state"), SEED, DAY))
    with TestClient(app) as opened:
        yield opened


def status(client, *headers):
    return client.get(CHAIN, headers=[(name, value) for name, value in headers]).status_code


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", f"Bearer {KEY}"),
        ("authorization", f"bearer {KEY}"),
        ("Authorization", f"BEARER   {KEY}  "),
        ("X-Api-Key", KEY),
        ("x-api-key", f" {KEY} "),
    ],
)
def test_key_is_known_however_its_header_is_written(client, header):
    assert status(client, header) == 200


@pytest.mark.parametrize(
    "header",
    [
        ("Authorization", KEY),
        ("Authorization", f"Basic {KEY}"),
        ("Authorization", "Bearer"),
        ("Authorization", "Bearer "),
        ("Authorization", ""),
        ("Authorization", f"Bearer {KEY} {KEY}"),
        ("Authorization", f"Bearer {KEY.upper()}"),
        ("Authorization", f"Bearer {KEY.lower()}"),
        ("Authorization", f"Bearer {KEY[:-1]}"),
        ("Authorization", f"Bearer {KEY}0"),
        ("Authorization", f"Bearer {KEY[:30]} {KEY[30:]}"),
        ("Authorization", "Bearer " + "k" * 30_000),
        ("Authorization", "Bearer \u5bc6\u94a5".encode()),
        ("Authorization", b"Bearer \xff\xfe\x00"),
        ("X-Api-Key", ""),
        ("X-Api-Key", digest_of(KEY).hex()),
        ("X-Api-Key", seeded_secret("another", "BRK-A")),
    ],
)
def test_what_is_no_key_is_refused(client, header):
    answer = client.get(CHAIN, headers=[header])

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="novate"'
    assert answer.json()["code"] == Reason.UNIDENTIFIED.value
    assert KEY not in answer.text


def test_two_keys_are_refused_and_the_same_twice_is_one(client):
    bearer = ("Authorization", f"Bearer {KEY}")

    assert status(client, bearer, ("X-Api-Key", KEY)) == 200
    assert status(client, bearer, ("X-Api-Key", seeded_secret(SEED, "BRK-B"))) == 401
    assert status(client, bearer, ("Authorization", "Bearer other")) == 401


def test_key_is_shown_once_listed_without_it_and_revoked(client):
    operator = key_header()
    made = client.post("/v1/api-keys", json={"holder": "BRK-A"}, headers=operator)
    key, id = made.json()["api_key"], made.json()["id"]

    assert made.status_code == 201
    assert (made.json()["role"], made.json()["is_from_seed"]) == ("broker", False)
    assert status(client, ("X-Api-Key", key)) == 200
    listed = client.get("/v1/api-keys?limit=500", headers=operator)
    assert id in [each["id"] for each in listed.json()["data"]]
    assert key not in listed.text
    revoked = client.post(f"/v1/api-keys/{id}/revoke", headers=operator)
    again = client.post(f"/v1/api-keys/{id}/revoke", headers=operator)
    assert revoked.json()["revoked_at"] is not None
    assert again.json() == revoked.json()
    assert status(client, ("X-Api-Key", key)) == 401


def test_new_key_is_kept_neither_with_its_answer_nor_in_the_log(client):
    asked = key_header() | {"Idempotency-Key": "once"}
    made = client.post("/v1/api-keys", json={"holder": "BRK-C"}, headers=asked)
    again = client.post("/v1/api-keys", json={"holder": "BRK-C"}, headers=asked)
    logged = client.get(f"/v1/requests/{made.headers['request-id']}", headers=key_header())

    key = made.json()["api_key"]
    assert again.json() == made.json() | {"api_key": "***"}
    assert made.json()["id"] in logged.text
    assert key not in logged.text


def test_keys_are_paged(client):
    first = client.get("/v1/api-keys?limit=3", headers=key_header()).json()
    following = f"/v1/api-keys?limit=500&cursor={first['next_cursor']}"
    rest = client.get(following, headers=key_header()).json()

    ids = [each["id"] for page in (first, rest) for each in page["data"]]
    assert len(ids) == len(set(ids)) >= 10
    assert rest["next_cursor"] is None


def test_key_of_nobody_is_not_made(client):
    answer = client.post("/v1/api-keys", json={"holder": "NOBODY"}, headers=key_header())

    assert (answer.status_code, answer.json()["reason"]) == (404, "UNKNOWN")


def test_last_key_of_the_operator_is_not_revoked(client):
    keys = client.get("/v1/api-keys?limit=500", headers=key_header()).json()["data"]
    [own] = [each["id"] for each in keys if each["holder"] == "OPERATOR"]

    refused = client.post(f"/v1/api-keys/{own}/revoke", headers=key_header())

    assert refused.status_code == 409
    assert status(client, *key_header().items()) == 200


def test_revoked_key_of_the_seed_stays_revoked_after_a_restart(tmp_path):
    with client_of(create_app(open_sandbox(tmp_path, SEED, DAY))) as client:
        keys = client.get("/v1/api-keys").json()["data"]
        [id] = [each["id"] for each in keys if each["holder"] == "BRK-B"]
        made = client.post("/v1/api-keys", json={"holder": "BRK-C"}).json()["api_key"]
        client.post(f"/v1/api-keys/{id}/revoke")
    with client_of(create_app(open_sandbox(tmp_path, None, DAY))) as client:
        assert client.get(CHAIN, headers=key_header("BRK-B")).status_code == 401
        assert client.get(CHAIN, headers={"Authorization": f"Bearer {made}"}).status_code == 200


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "interface.sqlite", interface_tables())
    yield opened
    opened.close()


def test_keys_are_kept_as_hashes_only(database, tmp_path):
    ApiKeys(database).add(KEY, BROKER, 0)

    kept = b"".join(path.read_bytes() for path in tmp_path.glob("interface.sqlite*"))
    assert digest_of(KEY) in kept
    assert KEY.encode() not in kept
    assert KEY.rpartition("_")[2].encode() not in kept


def test_hashes_are_compared_in_constant_time_whether_there_is_a_key_or_not(database):
    compared = []

    def same(left, right):
        compared.append((len(left), len(right)))
        return hmac.compare_digest(left, right)

    keys = ApiKeys(database, same)
    keys.add(KEY, BROKER, 0)

    assert keys.find(KEY).holder == BROKER
    assert keys.find("wrong") is None
    assert keys.find("") is None
    assert compared == [(32, 32)] * 3


def test_revoked_key_of_the_seed_stays_revoked_though_another_seed_come_in_between(database):
    keys, secret = ApiKeys(database), seeded_secret("one", "BRK-A")
    for seed in ("one", "two", "one"):
        seeded = seeded_keys(sandbox_network(seed, DAY)).values()
        keys.keep_seeded({each.secret: each.holder for each in seeded}, 0)
        if found := keys.find(secret):
            keys.revoke(found.id, 0)
    assert keys.find(secret) is None
    assert ApiKeys(database).find(secret) is None


def test_keys_of_another_seed_are_forgotten_and_made_ones_are_kept(database):
    keys = ApiKeys(database)
    keys.add("made", BROKER, 0)
    for seed in ("one", "two"):
        seeded = seeded_keys(sandbox_network(seed, DAY)).values()
        keys.keep_seeded({each.secret: each.holder for each in seeded}, 0)

    for known in (keys, ApiKeys(database)):
        assert known.find(seeded_secret("one", "BRK-A")) is None
        assert known.find(seeded_secret("two", "BRK-A")) is not None
        assert known.find("made") is not None


def test_file_of_keys_is_its_users_alone_and_has_every_holder(tmp_path):
    network = sandbox_network(SEED, DAY)
    path = write_key_file(tmp_path, network)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_in_file(tmp_path, "BRK-A") == KEY
    assert key_in_file(tmp_path, OPERATOR.name) == seeded_secret(SEED, "OPERATOR")
    assert key_in_file(tmp_path, "REGULATOR").startswith("nvk_REGULATOR_")
    with pytest.raises(KeyFileError, match="no key of NOBODY: expected one of BRK-A"):
        key_in_file(tmp_path, "NOBODY")


@pytest.mark.parametrize("content", ["", "[]", '{"BRK-A": 1}', "nonsense"])
def test_file_that_holds_no_key_says_so(tmp_path, content):
    (tmp_path / "api-keys.json").write_text(content)

    with pytest.raises(KeyFileError):
        key_in_file(tmp_path, "BRK-A")
