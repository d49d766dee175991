"""Settings and assembly: the only place that reads the environment and knows every adapter.

A name is loaded when it is first used: most commands need the settings and not the crew.
`__init__.pyi` lists the names.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
