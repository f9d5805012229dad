"""Maps in files: MovingAI, ROS, pictures and NumPy arrays; see `FORMATS` for the suffixes."""

from torchvin.maps.formats.contract import MapFile
from torchvin.maps.formats.map_file import FORMATS, read_map, write_map
from torchvin.maps.formats.scenarios import Scenario, read_scenarios, write_scenarios

__all__ = ["FORMATS", "MapFile", "Scenario", "read_map", "read_scenarios", "write_map", "write_scenarios"]
