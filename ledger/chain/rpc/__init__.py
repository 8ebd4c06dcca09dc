"""Ethereum JSON-RPC over a chain: one table of methods for every way in.

``table`` names the methods, ``request`` reads envelopes and writes answers, ``provider`` serves
web3.py in the same process. HTTP and WebSocket are the interface's business (``api``).
"""
