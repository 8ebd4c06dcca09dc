"""The files of a Besu network: each is what Besu's documentation asks for, and nothing is lost."""

import json
import stat
import tomllib

import pytest
import rlp
import yaml
from typer.testing import CliRunner

from api.cli.main import app
from nodes.besu.folder import known_senders, make_validators
from nodes.besu.genesis import extra_data
from nodes.keys import Key
from nodes.validators import DEPLOYER

DOCUMENTED_VALIDATORS = (
    "64a702e6263b7297a96638cac6ae65e6541f4169",
    "943923390ad55e90c237593b3b0e401f3b08a031",
    "aefdb9a738c9f433e5b6b212a6d62f6370c2f692",
    "c7eeb9a4e00ce683cf93039b212648e01c6c6b78",
)
DOCUMENTED_EXTRA_DATA = (
    "f87aa00000000000000000000000000000000000000000000000000000000000000000f854"
    "9464a702e6263b7297a96638cac6ae65e6541f416994943923390ad55e90c237593b3b0e401f3b08a031"
    "94aefdb9a738c9f433e5b6b212a6d62f6370c2f69294c7eeb9a4e00ce683cf93039b212648e01c6c6b78"
    "c080c0"
)


def besu(out, *options):
    found = CliRunner().invoke(app, ["chain", "besu", "--out", str(out), *map(str, options)])
    return found.exit_code, " ".join(found.output.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("besu") / "net"
    assert besu(out, "--validators", 4, "--key-seed", "test")[0] == 0
    return out


def toml(path):
    return tomllib.loads(path.read_text())


def test_extra_data_is_as_in_besus_documentation():
    validators = [bytes.fromhex(address) for address in DOCUMENTED_VALIDATORS]

    assert extra_data(validators).hex() == DOCUMENTED_EXTRA_DATA
    assert extra_data(validators[::-1]).hex() == DOCUMENTED_EXTRA_DATA


@pytest.mark.parametrize("count", [1, 4, 7])
def test_genesis_names_the_validators_whose_keys_are_in_the_folder(tmp_path, count):
    assert besu(tmp_path / "net", "--validators", count)[0] == 0
    genesis = json.loads((tmp_path / "net/genesis.json").read_text())
    keys = [Key.read(tmp_path / f"net/node-{n}/data/key") for n in range(1, count + 1)]

    vanity, validators, vote, round_number, seals = rlp.decode(
        bytes.fromhex(genesis["extraData"][2:])
    )

    assert validators == sorted(key.address for key in keys)
    assert (vanity, vote, round_number, seals) == (bytes(32), [], b"", [])


def test_genesis_has_no_fees_no_money_and_the_contracts_fork(folder):
    genesis = json.loads((folder / "genesis.json").read_text())
    config = genesis["config"]

    assert (config["chainId"], config["zeroBaseFee"], genesis["alloc"]) == (668_283, True, {})
    assert config["cancunTime"] == config["shanghaiTime"] == config["londonBlock"] == 0
    assert "osakaTime" not in config  # it caps a transaction at 2^24 gas
    assert int(genesis["gasLimit"], 16) == 10_000_000_000
    assert config["qbft"]["blockperiodseconds"] > 0


def test_every_validator_connects_to_all_others_and_lets_all_in(folder):
    allowed = [
        toml(folder / f"node-{n}/data/permissions_config.toml")["nodes-allowlist"]
        for n in range(1, 5)
    ]
    enodes = allowed[0]
    public = [Key.read(folder / f"node-{n}/data/key").public.hex() for n in range(1, 5)]

    assert [enode.partition("@")[0] for enode in enodes] == [f"enode://{key}" for key in public]
    assert allowed == [enodes] * 4
    for n in range(1, 5):
        peers = json.loads((folder / f"node-{n}/data/static-nodes.json").read_text())
        assert peers == [enode for enode in enodes if enode != enodes[n - 1]]


def test_only_the_networks_own_accounts_may_send(folder, tmp_path):
    accounts = toml(folder / "node-1/data/permissions_config.toml")["accounts-allowlist"]
    [deployer, house] = known_senders("novate", ["CLEARING-HOUSE"])

    assert deployer == Key.of_seed("novate", DEPLOYER).address
    assert {"0x" + deployer.hex(), "0x" + house.hex()} <= set(accounts)
    assert toml(folder / "node-1/config.toml")["permissions-accounts-config-file-enabled"] is True

    more = "0x" + "ab" * 20
    assert besu(tmp_path / "more", "--sender", more)[0] == 0
    assert more in toml(tmp_path / "more/node-1/data/permissions_config.toml")["accounts-allowlist"]
    assert besu(tmp_path / "open", "--open-accounts")[0] == 0
    opened = toml(tmp_path / "open/node-1/config.toml")
    assert opened["permissions-accounts-config-file-enabled"] is False


def test_configuration_costs_nothing_and_serves_no_keys(folder):
    for n in range(1, 5):
        config = toml(folder / f"node-{n}/config.toml")
        assert config["min-gas-price"] == 0
        assert config["rpc-http-api"] == ["ETH", "NET", "WEB3"]
        assert config["permissions-nodes-config-file-enabled"] is True
        assert config["discovery-enabled"] is False


def test_compose_file_runs_each_validator_where_its_enode_says(folder):
    compose = yaml.safe_load((folder / "docker-compose.yml").read_text())
    enodes = toml(folder / "node-1/data/permissions_config.toml")["nodes-allowlist"]
    services = compose["services"]

    hosts = [each["networks"]["consortium"]["ipv4_address"] for each in services.values()]
    assert [f"@{host}:30303" for host in hosts] == ["@" + e.partition("@")[2] for e in enodes]
    assert all(
        port.startswith("127.0.0.1:") for each in services.values() for port in each["ports"]
    )
    for name, each in services.items():
        sources = [volume.split(":")[0] for volume in each["volumes"]]
        assert sources == ["./genesis.json", f"./{name}/config.toml", f"./{name}/data"]
        assert all((folder / source).exists() for source in sources)


def test_node_keys_come_from_chance_and_only_their_owner_reads_them(tmp_path):
    for name in ("a", "b"):
        assert besu(tmp_path / name, "--validators", 1)[0] == 0
    first, second = (tmp_path / name / "node-1/data/key" for name in ("a", "b"))

    assert first.read_text() != second.read_text()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


def test_same_key_seed_makes_the_same_folder(folder, tmp_path):
    assert besu(tmp_path / "again", "--key-seed", "test")[0] == 0

    for path in folder.rglob("*"):
        if path.is_file():
            again = tmp_path / "again" / path.relative_to(folder)
            assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "10.0.0.1"], "expected 4 different addresses or none, found 1"),
        (["--host", "here"], "expected an IPv4 address"),
        (["--sender", "0x12"], "expected 0x and 40 hex digits"),
        (["--validators", "0"], "Invalid value"),
    ],
)
def test_bad_option_writes_nothing(tmp_path, options, words):
    status, output = besu(tmp_path / "net", *options)

    assert status == 2
    assert words in output
    assert not (tmp_path / "net").exists()


def test_keys_in_a_folder_are_never_written_over(folder):
    before = (folder / "node-1/data/key").read_text()

    status, output = besu(folder)

    assert status == 2
    assert "is not a new or empty folder" in output
    assert (folder / "node-1/data/key").read_text() == before


def test_validators_of_other_machines_are_known_by_their_addresses():
    hosts = ["10.1.0.1", "10.2.0.1"]

    assert [each.host for each in make_validators(2, hosts, "s")] == hosts
