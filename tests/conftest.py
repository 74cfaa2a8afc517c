"""For all tests and their processes: less compilation, which takes more time than it saves here."""

import os

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # JAX on a CPU.

from tfdynnas.training import backend  # noqa: E402  Reads what is set above.

backend.shorten_first_step()
