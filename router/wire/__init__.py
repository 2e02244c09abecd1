"""The wire formats' own types, readers and writers; nothing of them travels further in."""
