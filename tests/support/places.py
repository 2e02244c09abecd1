"""Routes of which something is said, and a folder of policies for them."""

from pathlib import Path

from policies.loading import Policies, load_policies
from policies.route_facts import RouteFacts, Runs

HERE = RouteFacts("small-here", "small", "local", Runs.LOCAL, "cellar", "DE", "Apache-2.0", "US")
ABROAD = RouteFacts("flash-cn", "flash", "deepseek", Runs.HOSTED, None, "CN", "MIT", "CN")
FRANKFURT = RouteFacts(
    "flash-eu", "flash", "frankfurt", Runs.HOSTED, "frankfurt", "DE", "MIT", "CN", zero_retention=True
)
BIG = RouteFacts("big", "big", "frankfurt", Runs.HOSTED, "frankfurt", "DE", None, "FR")
OPUS = RouteFacts("opus", "opus", "anthropic", Runs.HOSTED, None, "US", no_training=True)
ROUTES = (HERE, ABROAD, FRANKFURT, BIG, OPUS)
FINANCE = """\
team: finance
models: [small, flash, big]
plans:
  cheap: [flash, small]
  premium: [big]
  cheap+audit: {audit: always}
auto: {extraction: cheap+audit, generation: cheap}
baseline: big
grading: {percent: 2, graders: [big]}
limits: {request_usd: "0.50", month_usd: 200}
"""


def policies_of(folder: Path, **files: str) -> Policies:
    """Write the files into a folder and read it for these routes."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return load_policies(folder, ROUTES)
