"""Load on a running sandbox, over HTTP only, and benchmarks that check their own answers."""
