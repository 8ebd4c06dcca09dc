"""A clerk of the clearing house: looks at cycles, at what waits, and at who takes part."""

from loadtests.users.reader import Reader


class ClearingClerk(Reader):
    """Reads the latest cycles, the queue and the participants."""

    who = "CLEARING-HOUSE"
    rate_name = "clerk"
    paths = ("/v1/cycles?limit=20", "/v1/queue", "/v1/participants")
