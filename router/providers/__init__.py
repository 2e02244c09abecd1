"""Who serves a model: over an API, or on this machine."""
