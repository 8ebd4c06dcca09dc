"""Drawing net lines that add up."""

from hypothesis import strategies as st

from tests.support.twins import Line


def zero_sum(
    data: st.DataObject, parties: list[int], *, assets: list[int], most: int
) -> list[Line]:
    """Lines of these parties' house accounts that add up to nothing for each asset."""
    lines: list[Line] = []
    for asset in assets:
        amounts = [data.draw(st.integers(-most, most)) for _ in parties[1:]]
        amounts.append(-sum(amounts))
        lines += [
            (asset, party << 8, amount)
            for party, amount in zip(parties, amounts, strict=True)
            if amount
        ]
    return lines
