"""Subjects of the control plane: values, actions and events of each."""
