"""The institutions: exchange, brokers, banks, clearing house, registrar, and how they run together."""
