"""Runs models on this machine. Tokens and tensors; not money, not HTTP frameworks."""
