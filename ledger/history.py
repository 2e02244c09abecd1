"""placeholder until the helper's file comes"""
def request_history(engine, request_id): return None
