"""A crew of agents that runs an online store, under its owner's control.

What an author of agents needs is imported from here; `__init__.pyi` lists it. A name is loaded
when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
