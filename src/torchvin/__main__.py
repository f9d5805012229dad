"""`python -m torchvin` is `torchvin`."""

import sys

from torchvin.cli.main import main

sys.exit(main())
