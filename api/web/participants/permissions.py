"""Who may call what, as people read it: the table of policies, grouped, for one role."""

from dataclasses import dataclass
from typing import Final

from api.policies import CALLERS, ONLY_READ, Caller, roles_for
from ledger.domain.key_holders import KeyRole

GROUPS: Final = {
    "trades": "trades",
    "instructions": "instructions",
    "sides": "instructions",
    "allegements": "instructions",
    "dry-run": "instructions",
    "queue": "queue",
    "limits": "queue",
    "reservations": "queue",
    "cycles": "cycles",
    "positions": "positions",
    "statements": "positions",
    "reconciliation": "breaks",
    "breaks": "breaks",
    "events": "events",
    "webhook-endpoints": "events",
    "requests": "events",
    "chain": "chain",
    "participants": "participants",
    "sandbox/scenarios": "scenarios",
    "sandbox": "sandbox",
    "clock": "sandbox",
    "api-keys": "sandbox",
}
"""What a path is about, by its first part after the version, or its first two."""
OTHER: Final = "other"
GROUP_NAMES: Final = (*dict.fromkeys(GROUPS.values()), OTHER)


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the interface, and whether a role may call it."""

    name: str
    caller: Caller
    is_read: bool
    may: bool


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a role may do about one thing."""

    group: str
    calls: list[Call]

    def of(self, *, reads: bool) -> list[Call]:
        """The calls that only read, or the others."""
        return [each for each in self.calls if each.is_read == reads]

    def terms(self, *, reads: bool) -> list[Caller]:
        """On whose behalf it may do what it may."""
        allowed = [each.caller for each in self.of(reads=reads) if each.may]
        return [each for each in Caller if each in allowed]


def permissions_of(role: KeyRole) -> list[Permissions]:
    """What a role may call of the interface, by what it is about."""
    calls: dict[str, list[Call]] = {name: [] for name in GROUP_NAMES}
    for name, caller in CALLERS.items():
        method, _, path = name.partition(" ")
        if not path.startswith("/v1/"):
            continue
        about = path.removeprefix("/v1/").partition("/")[0].partition(":")[0]
        closer = "/".join(path.split("/")[2:4])
        is_read = method == "GET" or name in ONLY_READ
        call = Call(name, caller, is_read, role in roles_for(name))
        calls[GROUPS.get(closer) or GROUPS.get(about, OTHER)].append(call)
    return [Permissions(name, some) for name, some in calls.items() if some]
