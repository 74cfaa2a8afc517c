"""The one network that holds every subnet, and the plain network of one arch."""

from tfdynnas.supernet.few_shot import FewShot
from tfdynnas.supernet.layer_network import layer_network
from tfdynnas.supernet.network import cell_network
from tfdynnas.supernet.supernet import Supernet
