"""The one name that an installed onggi takes. `onggi.plugin` is what plugins may import; all else is onggi's own.

The packages `api`, `reconciler` and `specs` have names that anybody's could have. So a wheel has them below `_code`,
where Python only finds them once this package is imported; in a work tree they lie beside it.
"""

import sys
from pathlib import Path

_CODE = Path(__file__).parent / "_code"

if _CODE.is_dir() and str(_CODE) not in sys.path:
    sys.path.insert(0, str(_CODE))  # in front: another's package of such a name isn't what onggi means
