"""Methods about logs, and the filters that clients poll for new ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Final

from ledger.chain.blocks import Header
from ledger.chain.log_index import NO_END, LogFilter
from ledger.chain.rpc.backend import Backend
from ledger.chain.rpc.bloom import bloom_may_hold
from ledger.chain.rpc.errors import LIMIT_EXCEEDED, SERVER_ERROR, RpcError, invalid_params
from ledger.chain.rpc.filters import Filter
from ledger.chain.rpc.forms import log_form
from ledger.chain.rpc.methods import Method
from ledger.chain.rpc.params import parse_log_filter
from ledger.chain.rpc.values import Json, data, parse_object, parse_quantity, quantity

POLLED_BLOCKS_MAX: Final = 10_000


def logs(backend: Backend, params: Sequence[Json]) -> Json:
    """The logs that fit a filter, in order. Refused when they are too many for one answer."""
    return _all(backend, parse_log_filter(backend.chain, params[0]))


def new_filter(backend: Backend, params: Sequence[Json]) -> Json:
    """Remembers a log filter to poll; its id."""
    fields = parse_object(params[0], "a log filter")
    if fields.get("blockHash") is not None:
        raise invalid_params("one block never changes: use eth_getLogs with blockHash")
    wanted = parse_log_filter(backend.chain, fields)
    if fields.get("toBlock") in (None, "latest", "pending", "safe", "finalized"):
        wanted = _in_range(wanted, wanted.from_block, NO_END)
    first = max(wanted.from_block, backend.chain.head.number + 1)
    return quantity(backend.filters.add(wanted, first))


def new_block_filter(backend: Backend, _: Sequence[Json]) -> Json:
    """Remembers to tell of new blocks; the filter's id."""
    return quantity(backend.filters.add(None, backend.chain.head.number + 1))


def filter_changes(backend: Backend, params: Sequence[Json]) -> Json:
    """What is new since the last poll; when it is too much for one answer, the first of it."""
    found = _filter(backend, params[0])
    head = backend.chain.head.number
    if found.wanted is None:
        return _new_blocks(backend, found, head)
    last = min(found.wanted.to_block, head)
    page = _page(backend, _in_range(found.wanted, found.next_block, last))
    forms: list[Json] = []
    for block, forms_of_block in page:
        if _is_full(backend, len(forms), len(forms_of_block)):
            found.next_block = block
            return forms
        forms += forms_of_block
    found.next_block = max(found.next_block, last + 1)
    return forms


def filter_logs(backend: Backend, params: Sequence[Json]) -> Json:
    """All logs that fit a filter, polled or not."""
    found = _filter(backend, params[0])
    if found.wanted is None:
        raise invalid_params("this filter is for blocks: use eth_getFilterChanges")
    return _all(backend, found.wanted)


def uninstall_filter(backend: Backend, params: Sequence[Json]) -> Json:
    """Forgets a filter; whether there was one."""
    return backend.filters.remove(parse_quantity(params[0]))


def logs_of_block(backend: Backend, wanted: LogFilter, header: Header) -> list[Json]:
    """The logs of one block that fit."""
    if not all(_may_hold(header.logs_bloom, any_of) for any_of in _item_sets(wanted)):
        return []
    one = _in_range(wanted, header.number, header.number)
    return [form for _, forms in _page(backend, one) for form in forms]


def _item_sets(wanted: LogFilter) -> Iterator[tuple[bytes, ...]]:
    """Of each of these, when it is not empty, a fitting log has one item."""
    yield wanted.addresses
    yield from wanted.topics


def _may_hold(bloom: bytes, any_of: tuple[bytes, ...]) -> bool:
    return not any_of or any(bloom_may_hold(bloom, item) for item in any_of)


def _new_blocks(backend: Backend, found: Filter, head: int) -> Json:
    last = min(head, found.next_block + POLLED_BLOCKS_MAX - 1)
    headers = [backend.header(number) for number in range(found.next_block, last + 1)]
    found.next_block = max(found.next_block, last + 1)
    return [data(header.hash()) for header in headers if header]


def _all(backend: Backend, wanted: LogFilter) -> Json:
    forms: list[Json] = []
    for block, forms_of_block in _page(backend, wanted):
        if _is_full(backend, len(forms), len(forms_of_block)):
            raise _too_many(backend, wanted.from_block, block)
        forms += forms_of_block
    return forms


def _is_full(backend: Backend, count: int, more: int) -> bool:
    """One block is always given whole, since nobody could ask for less than a block."""
    limit = backend.limits.logs
    return limit is not None and count > 0 and count + more > limit


def _too_many(backend: Backend, first: int, block: int) -> RpcError:
    fitting = f"fromBlock {quantity(first)}, toBlock {quantity(block - 1)}"
    return RpcError(
        LIMIT_EXCEEDED,
        f"query returned more than {backend.limits.logs} results. Ask for fewer blocks: {fitting}"
        f" fits; then go on from block {quantity(block)}.",
    )


def _page(backend: Backend, wanted: LogFilter) -> Iterator[tuple[int, list[Json]]]:
    """The logs that fit, block by block, read only as far as they are wanted."""
    last = min(wanted.to_block, backend.chain.head.number)
    if wanted.from_block > last:
        return
    found = backend.chain.store.logs(_in_range(wanted, wanted.from_block, last))
    for block, located in groupby(found, key=attrgetter("block")):
        yield block, [log_form(each) for each in located]


def _in_range(wanted: LogFilter, first: int, last: int) -> LogFilter:
    return replace(wanted, from_block=first, to_block=last)


def _filter(backend: Backend, value: Json) -> Filter:
    found = backend.filters.poll(parse_quantity(value))
    if found is None:
        raise RpcError(SERVER_ERROR, "filter not found: unknown, uninstalled, or not polled lately")
    return found


METHODS: Final[Mapping[str, Method]] = {
    "eth_getFilterChanges": Method(filter_changes, needs=1),
    "eth_getFilterLogs": Method(filter_logs, needs=1),
    "eth_getLogs": Method(logs, needs=1),
    "eth_newBlockFilter": Method(new_block_filter),
    "eth_newFilter": Method(new_filter, needs=1),
    "eth_uninstallFilter": Method(uninstall_filter, needs=1),
}
