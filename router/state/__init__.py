"""What the gateway remembers that is not money: teams and keys, in a file and a history of its own."""
