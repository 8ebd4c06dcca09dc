"""Bad input, said so that its sender can mend it: what was found and what was expected."""


class MalformedError(ValueError):
    """A text or number that is not of the expected form. Nothing has changed.

    Attributes:
        expected: the form that was expected, in words.
        found: what was there instead.
    """

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(f"expected {expected}, found {found!r}")
        self.expected = expected
        self.found = found
