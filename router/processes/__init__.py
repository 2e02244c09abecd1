"""Child processes: started, watched, stopped."""
