"""What stands in a page, a feed or an article of the web, whose authors promise nothing."""

from storecrew.models.extraction.articles import NewsArticle, article
from storecrew.models.extraction.feeds import Feed, FeedEntry, feed
from storecrew.models.extraction.layout import LayoutChange, compare
from storecrew.models.extraction.page import Availability, Condition, ProductPage, Source
from storecrew.models.extraction.product import product_page

__all__ = [
    "Availability",
    "Condition",
    "Feed",
    "FeedEntry",
    "LayoutChange",
    "NewsArticle",
    "ProductPage",
    "Source",
    "article",
    "compare",
    "feed",
    "product_page",
]
