"""Settings and assembly: the only module that reads the environment and knows every adapter."""
