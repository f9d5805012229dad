"""The timers of `torchvin bench`. A new one is a file with a `Timer`, and a line here."""

from torchvin.bench.control import Control
from torchvin.bench.environments import Environments
from torchvin.bench.fixed_point_memory import FixedPointMemory
from torchvin.bench.gpu import Gpu
from torchvin.bench.graph import GraphTimer
from torchvin.bench.images import Images
from torchvin.bench.pipeline import Pipeline
from torchvin.bench.plan import Plan
from torchvin.bench.planners import Planners
from torchvin.bench.timer import Timer
from torchvin.bench.value_iteration import ValueIterationTimer

#: name -> timer
TIMERS: dict[str, type[Timer]] = {
    timer.name: timer
    for timer in (
        ValueIterationTimer,
        Plan,
        Planners,
        FixedPointMemory,
        GraphTimer,
        Pipeline,
        Environments,
        Images,
        Control,
        Gpu,
    )
}
