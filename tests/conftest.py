"""For all tests: the graph optimisations that the launchers leave out, since they take seconds."""

from tfdynnas.training import backend

backend.shorten_first_step()
