"""What is tested here: a desk that sends its executions to the market infrastructure."""


class Desk:
    """Sends executions and knows what has become of them. ``post`` and ``get`` are HTTP."""

    def __init__(self, http):
        self._http = http

    def send(self, number, seller, buyer, instrument="NOVA1", quantity="100", price="10.50"):
        trade = {
            "number": number,
            "instrument": instrument,
            "quantity": quantity,
            "price": price,
            "seller": seller,
            "buyer": buyer,
        }
        return self._http.post("/v1/trades", trade)["id"]

    def cash(self, account):
        positions = self._http.get("/v1/positions", participant=account.partition("/")[0])["data"]
        return next(
            each["total"]
            for each in positions
            if each["account"] == account and each["kind"] == "cash"
        )
