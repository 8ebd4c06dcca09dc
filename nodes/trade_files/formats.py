"""The two formats of trade files, and how to tell them apart: by their first line.

*Novate CSV* is our own: UTF-8, commas, decimal points, one trade a line, this header:

    trade_id,trade_date,time,instrument,quantity,price,seller,buyer,action

*B3 trade-by-trade* is what the Brazilian exchange publishes: ISO-8859-1, semicolons, decimal
commas, eleven columns, or twelve in newer files. Both may stand inside a zip.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TradeFileFormat:
    """How lines of a trade file are read.

    Attributes:
        columns: names of the header, in order.
        optional_columns: names that may follow.
        column_by_field: what is read, and from which column.
        venue: code of the venue in trade ids.
        currency: of all amounts.
        participant_prefix: stands before the file's participant codes in participant ids.
        participant_pattern: what a code in the file must be, and ``participant_form`` in words.
        new_value: in the action column, for a new trade; ``cancel_value`` for a cancellation.
        is_public: whether the file is a venue's publication, of which lines may lack participants
            or a price, and which may have lines of several days. Our own says everything.
    """

    name: str
    delimiter: str
    encoding: str
    columns: tuple[str, ...]
    optional_columns: tuple[str, ...]
    column_by_field: dict[str, str]
    decimal_mark: str
    time_pattern: str
    time_form: str
    venue: str
    currency: str
    participant_prefix: str
    participant_pattern: str
    participant_form: str
    new_value: str
    cancel_value: str
    is_public: bool

    @property
    def header(self) -> str:
        """The first line."""
        return self.delimiter.join(self.columns)


NOVATE_CSV: Final = TradeFileFormat(
    name="Novate CSV",
    delimiter=",",
    encoding="utf-8",
    columns=(
        "trade_id",
        "trade_date",
        "time",
        "instrument",
        "quantity",
        "price",
        "seller",
        "buyer",
        "action",
    ),
    optional_columns=(),
    column_by_field={
        "number": "trade_id",
        "date": "trade_date",
        "time": "time",
        "instrument": "instrument",
        "quantity": "quantity",
        "price": "price",
        "seller": "seller",
        "buyer": "buyer",
        "action": "action",
    },
    decimal_mark=".",
    time_pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?$",
    time_form="a time such as 09:30:00 or 09:30:00.125",
    venue="XNOV",
    currency="CNY",
    participant_prefix="",
    participant_pattern=r".*",
    participant_form="a participant",
    new_value="new",
    cancel_value="cancel",
    is_public=False,
)

B3_TRADES: Final = TradeFileFormat(
    name="B3 trade-by-trade",
    delimiter=";",
    encoding="iso-8859-1",
    columns=(
        "DataReferencia",
        "CodigoInstrumento",
        "AcaoAtualizacao",
        "PrecoNegocio",
        "QuantidadeNegociada",
        "HoraFechamento",
        "CodigoIdentificadorNegocio",
        "TipoSessaoPregao",
        "DataNegocio",
        "CodigoParticipanteComprador",
        "CodigoParticipanteVendedor",
    ),
    optional_columns=("TipoDoCanal",),
    column_by_field={
        "number": "CodigoIdentificadorNegocio",
        "date": "DataNegocio",
        "time": "HoraFechamento",
        "instrument": "CodigoInstrumento",
        "quantity": "QuantidadeNegociada",
        "price": "PrecoNegocio",
        "seller": "CodigoParticipanteVendedor",
        "buyer": "CodigoParticipanteComprador",
        "action": "AcaoAtualizacao",
        "session": "TipoSessaoPregao",
        "reference_date": "DataReferencia",
    },
    decimal_mark=",",
    time_pattern=r"^([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9][0-9]{3}$",
    time_form="a time HHMMSSmmm such as 100719126",
    venue="B3",
    currency="BRL",
    participant_prefix="B3-",
    participant_pattern=r"[0-9]{1,6}",
    participant_form="a participant's code, one to six digits",
    new_value="0",
    cancel_value="2",
    is_public=True,
)

FORMATS: Final = (NOVATE_CSV, B3_TRADES)

B3_REGULAR_SESSION: Final = "1"
B3_AFTER_MARKET_SESSION: Final = "6"
