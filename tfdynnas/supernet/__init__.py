"""The one network that holds every subnet, and the plain network of one arch."""

from tfdynnas.supernet.network import cell_network
from tfdynnas.supernet.supernet import Supernet
