"""The ops: one family a file, forward and vjps side by side."""

from .activation import *  # each file lists its ops in __all__
from .arithmetic import *
from .conv import *
from .distance import *
from .elementwise import *
from .embedding import *
from .gamma import *
from .linalg import *
from .linear import *
from .loss import *
from .norm import *
from .pool import *
from .recurrent import *
from .reduce import *
from .sampling import *
from .scan import *
from .shape import *
from .softmax import *
from .sparse import *
from .special import *
from .windows import *
