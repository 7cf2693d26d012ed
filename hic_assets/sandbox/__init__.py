"""The national systems in miniature, served over real HTTP: for tests, the demo and benchmarks.

Belongs here: the sandbox's public names. No production path imports this package.
"""

from hic_assets.sandbox.running import Sandbox, running_sandbox
from hic_assets.sandbox.world import World

__all__ = ["Sandbox", "World", "running_sandbox"]
