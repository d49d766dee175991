"""Reading the outside web: politely, and guarded against being sent where nobody should go."""
