"""What the doctests of the package leave out where an optional library is not installed."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("stable_baselines3") else ["torchvin/integrations/stable_baselines3"]
