"""What reading the web can end in, beside a page."""

from storecrew.domain.errors import Retryable, StorecrewError


class RobotsForbid(StorecrewError):
    """The site's robots.txt does not want this page read."""

    def __init__(self, url: str) -> None:
        super().__init__(f"robots.txt forbids {url!r}")
        self.url = url


class PageRefused(StorecrewError):
    """The page is of no use, now or later: gone, forbidden, too large, or redirected too often."""

    def __init__(self, url: str, problem: str, status: int | None = None) -> None:
        super().__init__(f"{url!r}: {problem}")
        self.url = url
        self.problem = problem
        self.status = status


class PageUnreachable(Retryable):
    """The site did not answer, or with an error of its own."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url!r} could not be read: {problem}")
        self.url = url
        self.problem = problem


class RetryLater(Retryable):
    """The host wants to be left alone for a while."""

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(f"{host!r} wants to be left alone for {seconds:.0f} s")
        self.host = host
        self.seconds = seconds
