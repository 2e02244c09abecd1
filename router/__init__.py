"""The gateway: HTTP, wire formats, the pipeline, providers, processes and commands."""
