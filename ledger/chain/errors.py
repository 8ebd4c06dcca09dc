"""What can go wrong with a chain, beside a transaction that it refuses."""


class StorageError(Exception):
    """The stored chain is torn, changed, or another chain's. It is not used."""


class ExecutionError(Exception):
    """An executor could not say what a transaction does. Nothing has changed."""
