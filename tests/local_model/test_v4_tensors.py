"""The list of a model's tensors is the list of what checkpoints hold and the loader asks for."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_model.config import config_of
from local_model.tensors import tensors_of
from support.v4_configs import configs
from support.v4_weights import Config, shapes


@settings(derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(config=configs(), mtp=st.booleans())
def test_every_tensor_is_listed_with_its_shape(config: Config, mtp: bool) -> None:
    listed = {spec.name: spec.shape for spec in tensors_of(config_of(config, Path("config.json")), mtp=mtp)}
    assert listed == shapes(config, mtp=mtp)
