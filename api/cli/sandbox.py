"""``novate sandbox``: begin a running ``novate up`` anew, keep it, go back; trades, stand-ins."""

from typing import Annotated

import typer
from rich.table import Table

from api.cli.http_client import (
    DEFAULT_URL,
    Answer,
    Client,
    JsonOption,
    UrlOption,
    print_json,
    segment,
)
from api.cli.terminal import output, waiting

sandbox_app = typer.Typer(
    help="Begin a running novate up anew, keep it under a name, go back to it.",
    no_args_is_help=True,
)

SnapshotName = Annotated[
    str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and hyphens.")
]
StubbedParticipant = Annotated[str, typer.Argument(help="Such as BRK-B.")]


@sandbox_app.command()
def show(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show seed, business time, last final block and state hash."""
    _show_market(Client(url).get("sandbox"), as_json=as_json)


@sandbox_app.command()
def reset(
    seed: Annotated[
        str | None, typer.Option(help="Another seed, and so other keys; else the same again.")
    ] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Begin anew: everything that happened is gone, snapshots stay."""
    with waiting("Beginning anew", shown=not as_json):
        market = Client(url).post("sandbox/reset", {"seed": seed})
    _show_market(market, as_json=as_json)


@sandbox_app.command()
def save(name: SnapshotName, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Keep the market as it is under a name."""
    with waiting("Keeping the market", shown=not as_json):
        market = Client(url).post("sandbox/snapshots", {"name": name})
    _show_market(market, as_json=as_json)


@sandbox_app.command()
def restore(name: SnapshotName, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Go back to what was kept under a name; what happened since is gone."""
    with waiting("Going back", shown=not as_json):
        market = Client(url).post(f"sandbox/snapshots/{segment(name)}/restore")
    _show_market(market, as_json=as_json)


@sandbox_app.command()
def drop(name: SnapshotName, url: UrlOption = DEFAULT_URL) -> None:
    """Forget what was kept under a name."""
    Client(url).delete(f"sandbox/snapshots/{segment(name)}")
    output().print(f"dropped {name}", markup=False)


@sandbox_app.command()
def snapshots(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List what is kept."""
    answer = Client(url).get("sandbox/snapshots")
    if as_json:
        print_json(answer)
        return
    table = Table("name", "business time", "block", "bytes", "state hash", box=None)
    for each in answer["data"]:
        size, hash = f"{each['size_bytes']:,}", each["state_hash"][:18]
        table.add_row(each["name"], each["business_time"], str(each["block"]), size, f"{hash}…")
    output().print(table if answer["data"] else "none")


@sandbox_app.command()
def trades(
    count: Annotated[int, typer.Argument(min=1, help="How many.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same trades.")] = 0,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Have trades made up and captured; they settle by themselves."""
    answer = Client(url).post("sandbox/trades", {"count": count, "seed": seed})
    if as_json:
        print_json(answer)
        return
    output().print(f"{answer['captured']} captured, {answer['repeated']} known before")


@sandbox_app.command()
def stub(
    participant: StubbedParticipant,
    differ: Annotated[bool, typer.Option("--differ", help="With one unit more.")] = False,
    after: Annotated[int, typer.Option(min=0, help="Seconds of business time later.")] = 0,
    off: Annotated[bool, typer.Option("--off", help="Stand in for it no more.")] = False,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Stand in for a counterparty: enter its side whenever somebody enters one that names it."""
    client, path = Client(url), f"sandbox/stubs/{segment(participant)}"
    if off:
        client.delete(path)
    else:
        behaviour = "differ" if differ else "match"
        client.put(path, {"behaviour": behaviour, "after_seconds": after})
    _show_stubs(client)


@sandbox_app.command()
def stubs(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List for whom the sandbox stands in."""
    client = Client(url)
    if as_json:
        print_json(client.get("sandbox/stubs"))
        return
    _show_stubs(client)


def _show_stubs(client: Client) -> None:
    found = client.get("sandbox/stubs")["data"]
    for each in found:
        later = f" after {each['after_seconds']} s" if each["after_seconds"] else ""
        output().print(f"{each['participant']}: {each['behaviour']}{later}", markup=False)
    if not found:
        output().print("nobody is stood in for")


def _show_market(market: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(market)
        return
    words = f"{market['business_time']}, block {market['block']}, seed {market['seed']}"
    output().print(words, market["state_hash"], sep="\n", markup=False, soft_wrap=True)
