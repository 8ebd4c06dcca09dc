"""Benchmarks of the product's engines. Each verifies its own answer, or its figure is void."""
