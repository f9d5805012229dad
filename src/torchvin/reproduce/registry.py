"""The pages of `torchvin reproduce`. A new one is a file with a `Page`, and a line here."""

from torchvin.reproduce.control import Control
from torchvin.reproduce.mars import Mars
from torchvin.reproduce.mazes import Mazes
from torchvin.reproduce.page import Page
from torchvin.reproduce.rl import RL
from torchvin.reproduce.table1 import Table1
from torchvin.reproduce.webnav import WebNav

#: name -> page, in the order of the papers.
PAGES: dict[str, type[Page]] = {page.name: page for page in (Table1, Mazes, RL, Mars, Control, WebNav)}
