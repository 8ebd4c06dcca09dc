"""The institutions: exchange, brokers, banks, clearing house, registrar, and their running."""
