"""The reference model: the rules of contracts and clearing once more, plainly, in plain Python.

It shares no code with the fast clearing and none with the contracts; tests drive it beside both and
demand the same balances, states and refusals after every step (invariant 11). A refusal's detail is
the contract's revert text.
"""

from ledger.domain.reasons import Rejected, reason_of_revert


def refuse(text: str) -> Rejected:
    """The refusal that the contracts express by this revert text."""
    return Rejected(reason_of_revert(text), text)
