"""Letters to customers and from them: composed, handed to a mail server, read from a mailbox."""
