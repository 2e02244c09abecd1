"""The admin API, beneath /v1/steelyard/admin: one file a family of paths, each of which says who reaches it."""
