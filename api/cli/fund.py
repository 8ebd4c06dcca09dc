"""``novate fund``: cash and securities into accounts of a running ``novate up``, and out."""

from typing import Annotated, Any

import typer

from api.cli.http_client import DEFAULT_URL, Client, JsonOption, UrlOption, print_json
from api.cli.terminal import bad_input, output


def fund(
    account: Annotated[str, typer.Argument(help="Such as BRK-A or BRK-A/client.")],
    reference: Annotated[
        str, typer.Option(help="Chosen by you: the same again is done once, not twice.")
    ],
    amount: Annotated[str | None, typer.Option(help="Cash, such as 1050.00.")] = None,
    currency: Annotated[str | None, typer.Option(help="Of the cash.")] = None,
    instrument: Annotated[str | None, typer.Option(help="Securities: symbol or ISIN.")] = None,
    quantity: Annotated[str | None, typer.Option(help="Units of them.")] = None,
    out: Annotated[bool, typer.Option("--out", help="Out of the account.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Bring cash (--amount) or securities (--instrument, --quantity) into an account."""
    is_cash = amount is not None
    given = (instrument is not None, quantity is not None)
    if is_cash in given or given[0] is not given[1] or (currency and not is_cash):
        bad_input("give --amount and perhaps --currency, or --instrument and --quantity")
    asset: dict[str, Any] = (
        {"kind": "cash", "amount": amount, "currency": currency}
        if is_cash
        else {"kind": "securities", "instrument": instrument, "quantity": quantity}
    )
    body = {"reference": reference, "account": account, "direction": "out" if out else "in"}
    answer = Client(url).post("sandbox/fund", body | asset)
    if as_json:
        print_json(answer)
        return
    words = f"{answer['account']} has {answer['available']} {answer['asset']}"
    output().print(f"{words}, {answer['held']} held", markup=False)
