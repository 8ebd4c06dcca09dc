"""A broker's back office: looks at what its broker has, and at its latest trades."""

from loadtests.users.reader import Reader


class BrokerBackOffice(Reader):
    """Reads its own positions and trades."""

    who = "BRK-A"
    rate_name = "broker"
    paths = ("/v1/positions?participant=BRK-A", "/v1/trades?participant=BRK-A&limit=20")
