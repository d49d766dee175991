"""The vocabulary of the product: values and ports, standard library only, no I/O."""
