"""The consortium chain: blocks, executors, the block store, and JSON-RPC over them."""
