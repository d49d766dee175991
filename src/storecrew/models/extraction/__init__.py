"""What stands in a page, a feed or an article of the web, whose authors promise nothing."""

from storecrew.models.extraction.articles import Article, article
from storecrew.models.extraction.feeds import Entry, Feed, feed
from storecrew.models.extraction.layout import Verdict, compare
from storecrew.models.extraction.page import Availability, ProductPage, Source
from storecrew.models.extraction.product import product_page

__all__ = [
    "Article",
    "Availability",
    "Entry",
    "Feed",
    "ProductPage",
    "Source",
    "Verdict",
    "article",
    "compare",
    "feed",
    "product_page",
]
