"""JSON-RPC for Ethereum tools: bodies, sockets and what keeps one caller from starving others."""
