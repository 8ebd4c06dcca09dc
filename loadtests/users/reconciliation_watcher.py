"""Who watches that all books agree, while trades settle."""

from loadtests.users.reader import Reader


class ReconciliationWatcher(Reader):
    """Reads reconciliation and breaks."""

    who = "OPERATOR"
    rate_name = "watcher"
    paths = ("/v1/reconciliation", "/v1/breaks")
