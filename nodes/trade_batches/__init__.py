"""Batches of trades from outside: bytes of JSON or Arrow, checked whole, into columns."""

from nodes.trade_batches.arrow_form import read_arrow
from nodes.trade_batches.faults import Fault, MalformedBatchError
from nodes.trade_batches.json_form import read_json

__all__ = ["Fault", "MalformedBatchError", "read_arrow", "read_json"]
