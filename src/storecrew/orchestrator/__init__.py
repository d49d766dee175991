"""Who wakes, when, and what becomes of what they propose."""
