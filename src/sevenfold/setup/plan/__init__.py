"""Memory by part and time, before anything is trained.

Pure arithmetic on plain numbers; the stage that trains fills in what depends on its inner parts.
"""

from sevenfold.setup.plan.advice import advise, fewest_recomputed, gigabytes
from sevenfold.setup.plan.made import Plan, make
from sevenfold.setup.plan.operations import flops, measure_rate, rate
from sevenfold.setup.plan.parts import memory
from sevenfold.setup.plan.work import OVERHEAD, Shape, Work

__all__ = [
    "OVERHEAD",
    "Plan",
    "Shape",
    "Work",
    "advise",
    "fewest_recomputed",
    "flops",
    "gigabytes",
    "make",
    "measure_rate",
    "memory",
    "rate",
]
