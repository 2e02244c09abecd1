"""Is this answer right? Checks, evidence and scores: pure values in, pure values out."""
