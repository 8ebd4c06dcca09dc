"""Typed clients: one small class a contract, over web3, whatever engine stands behind it."""
