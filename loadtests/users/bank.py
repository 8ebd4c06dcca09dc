"""A settlement bank: looks at the cash of those it keeps it for, and what waits for cash."""

from loadtests.users.reader import Reader


class Bank(Reader):
    """Reads positions of its customers, and the queue."""

    who = "BANK-1"
    rate_name = "bank"
    paths = ("/v1/positions", "/v1/queue")
