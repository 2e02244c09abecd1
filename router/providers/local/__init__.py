"""Models on this machine: one protocol, and a client for each kind of engine."""
