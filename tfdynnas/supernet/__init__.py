"""The one network that holds every subnet, and the plain network of one arch."""

from tfdynnas.supernet.few_shot import FewShot
from tfdynnas.supernet.networks import plain_network
from tfdynnas.supernet.supernet import Supernet
