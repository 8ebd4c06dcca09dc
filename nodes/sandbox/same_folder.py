"""A state folder keeps what it was begun with: whoever opens it again may not ask for other."""

from collections.abc import Sequence
from pathlib import Path

from ledger.domain.rule_texts import rules_with
from nodes.folder_meta import Meta, StateFolderError


def check_same(
    path: Path,
    meta: Meta,
    *,
    seed: str | None,
    cycle_trades: int | None,
    dense_sequence: bool | None,
    rules: Sequence[str],
) -> None:
    """Raises StateFolderError when a folder was begun with something else than is given now."""
    for option, given, begun in (
        ("seed", seed, meta.network.seed),
        ("cycle-trades", cycle_trades, meta.rules.cycle_trades_max),
        ("dense-sequence", dense_sequence, meta.network.dense_sequence),
    ):
        if given is not None and given != begun:
            raise StateFolderError(
                f"{path} was begun with the {option} {begun!r}, not {given!r}:"
                f" leave --{option} out, or name another folder with --folder"
            )
    if rules and rules_with(meta.rules, rules) != meta.rules:
        raise StateFolderError(
            f"{path} was begun with other rules than {' '.join(rules)}:"
            " leave --rule out, or name another folder with --folder"
        )
