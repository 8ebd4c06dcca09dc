"""Webhooks never reach into somebody's own network, however the address is written."""

import asyncio
import socket
from ipaddress import ip_address

import pytest

from ledger.domain.errors import MalformedError
from nodes.clock import WallClock
from nodes.webhooks.addresses import AddressRules, ForbiddenAddressError, is_public
from nodes.webhooks.sending import Sender

LOOPBACK = AddressRules(to_loopback=True, own_port=8000)
FORBIDDEN = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::10.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_address_that_is_not_public_is_refused(address):
    assert not is_public(ip_address(address))
    with pytest.raises(ForbiddenAddressError):
        AddressRules().require_allowed(address, 443)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"]
)
def test_public_address_is_allowed(address):
    AddressRules().require_allowed(address, 443)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_allowed_where_it_is_wished_but_for_the_interface_itself(address):
    LOOPBACK.require_allowed(address, 3000)
    with pytest.raises(ForbiddenAddressError):
        LOOPBACK.require_allowed(address, 8000)


@pytest.mark.parametrize("address", [a for a in FORBIDDEN if not ip_address(a).is_loopback])
def test_loopback_opens_no_other_address(address):
    if not address.startswith(("127.", "::ffff:127.", "2002:7f00")):
        with pytest.raises(ForbiddenAddressError):
            LOOPBACK.require_allowed(address, 443)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://3232235777/",
        "http://10.0.0.1.:80/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://example.com:22/",
        "http://example.com:99999/",
        "http://user@example.com/",
        "http://example.com/#x",
        "http:///path",
        "http://exa mple.com/",
        "http://exämple.com/",
        "http://example.com/\r\nX: y",
        "http://" + "a" * 3_000,
        "//example.com",
        "",
    ],
)
def test_url_that_leads_elsewhere_is_refused(url):
    with pytest.raises(MalformedError):
        AddressRules().check_host(url)


def send(rules, url):
    async def once():
        sender = Sender(rules, WallClock())
        try:
            return await sender.send(url, "whsec_c2VjcmV0", "evt-1", b"{}")
        finally:
            await sender.close()

    return asyncio.run(once())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"]
)
def test_nothing_is_connected_when_a_name_leads_to_a_forbidden_address(host):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        answer = send(AddressRules(), f"http://{host}:{listener.getsockname()[1]}/")

        assert answer.status is None
        assert answer.error
        with pytest.raises(TimeoutError):
            listener.accept()


def test_name_that_answers_differently_the_second_time_gains_nothing(monkeypatch):
    """The check is made on the socket that is connected: what the name said before is no matter."""
    rules, asked = AddressRules(), []
    real = socket.getaddrinfo

    def rebinding(host, *words, **options):
        if host != "rebinding.test":
            return real(host, *words, **options)
        asked.append(host)
        address = "1.1.1.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    rules.check_host("http://rebinding.test/")
    answer = send(rules, "http://rebinding.test/")

    assert len(asked) > 1
    assert answer.status is None
    assert "127.0.0.1 port 80 is not for webhooks" in answer.error


def test_receiver_that_says_nothing_costs_bounded_time(monkeypatch):
    monkeypatch.setattr("nodes.webhooks.sending.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer = send(LOOPBACK, f"http://127.0.0.1:{listener.getsockname()[1]}/")

    assert answer.status is None
    assert "no answer within" in answer.error
    assert answer.duration_ms < 3_000
