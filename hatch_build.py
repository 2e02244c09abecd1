"""What hatchling asks when it builds a wheel: with the native step built beside its sources, it is this platform's."""

import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "local_model/native/built"


class NativeWheel(BuildHookInterface):  # type: ignore[type-arg]  # its own stubs leave it open
    """Put in what `make wheel` built, and name the platform: nothing in it hangs on Python's version."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Change what is to be built, if there is something."""
        if version == "standard" and list((Path(self.root) / BUILT).glob("*.so")):
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["artifacts"].append(f"{BUILT}/*.so")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"
