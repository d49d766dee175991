"""The numbers behind a proposal: demand, stock levels, prices. Numbers in, numbers out, no I/O."""

from storecrew.domain.ports.models import Models


def basic_models() -> Models:
    """Return the models that need nothing but a few weeks of history."""
    # numpy takes a tenth of a second to import, which `storecrew --help` must not wait for
    from storecrew.models.basic import BasicModels

    return BasicModels()
