"""Where webhooks may be sent: to public addresses, never into somebody's own network.

What counts is the address that a connection is made to, not the name that it was found by: the
check is made on the very socket that is then connected, so a name that answers differently the
second time gains nothing. Loopback is for those who test against their own machine.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from ledger.domain.errors import MalformedError

URL_LENGTH_MAX: Final = 2_000
PORT_BY_SCHEME: Final = {"http": 80, "https": 443}
UNPRIVILEGED_PORT: Final = 1_024
_NAT64: Final = IPv6Network("64:ff9b::/96")
_LAST_32_BITS: Final = 0xFFFFFFFF

AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
"""As ``socket.getaddrinfo`` gives it."""


class ForbiddenAddressError(PermissionError):
    """A webhook was to be sent to an address that none may be sent to."""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Which addresses are allowed.

    Attributes:
        to_loopback: webhooks may be sent to this machine.
        own_port: where the interface itself is served, to which none may be sent; None: nowhere.
    """

    to_loopback: bool = False
    own_port: int | None = None

    def check_url(self, url: str) -> SplitResult:
        """Raises MalformedError when a URL is none that webhooks may be sent to, by its form."""
        if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url:
            raise MalformedError(f"a URL of at most {URL_LENGTH_MAX} ASCII characters", url[:100])
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise MalformedError(f"a URL ({error})", url) from error
        if parts.scheme not in PORT_BY_SCHEME or not parts.hostname:
            raise MalformedError("http:// or https:// and a host", url)
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise MalformedError("a URL without user and fragment", url)
        if port is not None and port < UNPRIVILEGED_PORT and port not in PORT_BY_SCHEME.values():
            raise MalformedError(f"port 80, 443, or from {UNPRIVILEGED_PORT} on", port)
        return parts

    def check_host(self, url: str) -> None:
        """Raises MalformedError when the host of a URL has an address that is not allowed now.

        One whose name cannot be resolved is refused too. It may have other addresses later.
        """
        parts = self.check_url(url)
        host, port = parts.hostname or "", parts.port or PORT_BY_SCHEME[parts.scheme]
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise MalformedError(f"a host that has an address ({error})", host) from error
        for _, _, _, _, place in found:
            try:
                self.require_allowed(str(place[0]), int(place[1]))
            except ForbiddenAddressError as error:
                raise MalformedError(f"a public address ({error})", host) from error

    def socket_of(self, info: AddressInfo) -> socket.socket:
        """A socket that is about to be connected. Raises ForbiddenAddressError."""
        family, kind, protocol, _, place = info
        self.require_allowed(str(place[0]), int(place[1]))
        return socket.socket(family, kind, protocol)

    def require_allowed(self, address: str, port: int) -> None:
        """Raises ForbiddenAddressError unless webhooks may be sent to an address."""
        parsed = _meant(ip_address(address.partition("%")[0]))
        if parsed.is_loopback:
            if self.to_loopback and port != self.own_port:
                return
        elif is_public(parsed):
            return
        raise ForbiddenAddressError(f"{address} port {port} is not for webhooks")


PUBLIC_ONLY: Final = AddressRules()


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is of the public Internet."""
    meant = _meant(address)
    if isinstance(meant, IPv6Address) and meant.is_site_local:
        return False
    return meant.is_global and not meant.is_multicast and not meant.is_reserved


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address leads to, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & _LAST_32_BITS)
    teredo = address.teredo[1] if address.teredo else None
    compatible = int(address) if 1 < int(address) <= _LAST_32_BITS else None
    embedded = address.ipv4_mapped or address.sixtofour or teredo
    if embedded is None and compatible is not None:
        return IPv4Address(compatible)
    return embedded or address
