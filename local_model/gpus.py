"""The GPUs that torch sees."""

import torch


def memories() -> list[float]:
    """GB (10^9 bytes) of each."""
    if not torch.cuda.is_available():
        return []
    count = torch.cuda.device_count()
    return [torch.cuda.get_device_properties(number).total_memory / 1e9 for number in range(count)]
