"""Where the tests of V4 run: on the CPU always, and on CUDA too where there is a card.

On a card sums are made in another order for every shape, so two passes that mean the same agree within rounding and not
in their bits. TF32 would round float32 factors to ten bits: it is off.
"""

import torch

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


def closeness(device: str) -> float:
    """The largest difference of logits that is allowed, relative to the largest logit, in float32."""
    return 1e-5 if device == "cpu" else 3e-5
