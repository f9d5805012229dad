"""What a compiled program calls as it is, because how long it runs depends on the numbers.

A module of its own: `torch.compiler.disable` imports the compiler, which takes as long as torch itself.
"""

import torch

from torchvin.planning import fixed_point as eager

fixed_point = torch.compiler.disable(eager.fixed_point)  # type: ignore[no-untyped-call]
