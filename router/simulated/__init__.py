"""A model that answers from a script, on loopback, with a known bill: for the demo, the tests and the benchmarks."""
