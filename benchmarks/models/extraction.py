"""Product pages, feeds and hostile input: what is read, how sure, how fast.

Three parts. *Samples*: the HTML pages that extruct is tested with (57, of which 8 describe a
product) and feedparser's feeds (2,106). *Made pages*: pages of our own whose truth is known, in
every way of telling a price and eight notations, with struck prices and other products beside;
a quarter is damaged. A peer reads each with extruct alone, as a script of an afternoon would.
*Rebuilt pages*: each made page visited a second time, with a new price, a new layout or as another
page; counted is what `compare` makes of it.
"""

import io
import json
import random
import tarfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import extruct
from _report import interval, parser, publish, table
from _shared import shared
from price_parser import Price

from storecrew.domain.errors import InvalidInput
from storecrew.models.extraction import compare, feed, product_page

SEEDS = range(5)
PAGES = 300
NOTATIONS = (
    ("EUR", "{whole},{cents} €", " "), ("EUR", "{whole},{cents} €", "."),
    ("EUR", "€{whole}.{cents}", ","), ("GBP", "£{whole}.{cents}", ","),
    ("USD", "US$ {whole}.{cents}", ","), ("CHF", "CHF {whole}.{cents}", "'"),
    ("SEK", "{whole},{cents} SEK", " "), ("PLN", "{whole},{cents} zł", " "),
)  # fmt: skip
"""Currency, notation, separator of thousands."""
KINDS = ("json-ld", "graph", "group", "microdata", "opengraph", "plain")
WORDS = [
    *("blue", "red", "steel", "large", "small", "round", "mug", "lamp", "chair", "desk"),
    *("bag", "coat", "pen", "tray", "bowl", "rack", "bench", "clock", "shelf", "stool"),
]


@dataclass(frozen=True)
class Made:
    html: bytes
    kind: str
    price: Decimal
    currency: str
    name: str


def notation(rng: random.Random, price: Decimal) -> tuple[str, str]:
    currency, pattern, thousands = rng.choice(NOTATIONS)
    whole, _, cents = f"{price:,.2f}".partition(".")
    return currency, pattern.format(whole=whole.replace(",", thousands), cents=cents)


def markup(kind: str, price: Decimal, currency: str, name: str) -> str:
    offer = {"@type": "Offer", "price": f"{price}", "priceCurrency": currency,
             "availability": "https://schema.org/InStock"}  # fmt: skip
    product = {"@type": "Product", "name": name, "offers": offer}
    forms = {
        "json-ld": product,
        "graph": {"@graph": [{"@type": "WebPage"}, {**product, "offers": [{"@id": "#o"}]},
                             {"@id": "#o", **offer}]},
        "group": {"@type": "ProductGroup", "name": name, "hasVariant": [product, product]},
    }  # fmt: skip
    if kind in forms:
        return f'<script type="application/ld+json">{json.dumps(forms[kind])}</script>'
    if kind == "opengraph":
        return (
            f'<meta property="og:type" content="product"><meta property="og:title" '
            f'content="{name}"><meta property="product:price:amount" content="{price}">'
            f'<meta property="product:price:currency" content="{currency}">'
        )
    return ""


def made(rng: random.Random, kind: str, layout: str = "box") -> Made:
    price = Decimal(rng.randrange(100, 400_000)) / 100
    name = " ".join(rng.sample(WORDS, 3))
    currency, shown = notation(rng, price)
    other = [notation(rng, Decimal(rng.randrange(100, 400_000)) / 100)[1] for _ in range(4)]
    scope, prop, offers = "", "", ""
    if kind == "microdata":
        scope = 'itemscope itemtype="https://schema.org/Product"'
        offers = 'itemprop="offers" itemscope itemtype="https://schema.org/Offer"'
        prop = f'<meta itemprop="price" content="{price}"><meta itemprop="priceCurrency" content="{currency}">'  # noqa: E501
    struck = f'<del class="price price-old">{other[0]}</del>' if rng.random() < 0.5 else ""
    aside = "".join(f'<li>{w}<span class="price">{w}</span></li>' for w in other[1:])
    head = markup(kind, price, currency, name)
    if rng.random() < 0.25:
        head = '<script type="application/ld+json">{"@type": "Product", </script>' + head
    body = (
        f"<html><head><title>{name} | shop</title>{head}</head><body>"
        f'<header><span class="cart-price">{other[0]}</span></header>'
        f'<div {scope} class="{layout}"><h1 itemprop="name">{name}</h1><div {offers}>{prop}{struck}'
        f'<span class="price {layout}-now">{shown}</span></div><button>Add to cart</button></div>'
        f'<div class="related"><ul>{aside}</ul></div></body></html>'
    )
    return Made(body.encode(), kind, price, currency, name)


def afternoon(page: bytes) -> tuple[Decimal | None, str | None]:
    """Return price and currency as a short script with extruct would."""
    try:
        found = extruct.extract(page.decode("utf-8", "replace"), base_url="https://x.example/",
                                syntaxes=["json-ld", "microdata", "opengraph"])  # fmt: skip
        for item in found["json-ld"]:
            if item.get("@type") == "Product":
                return Decimal(str(item["offers"]["price"])), item["offers"]["priceCurrency"]
        for item in found["microdata"]:
            if str(item.get("type")).endswith("Product"):
                offer = item["properties"]["offers"]["properties"]
                return Decimal(offer["price"]), offer["priceCurrency"]
        for item in found["opengraph"]:
            said = dict(item["properties"])
            if "product:price:amount" in said:
                return Decimal(said["product:price:amount"]), said["product:price:currency"]
    except Exception:  # noqa: BLE001 - what the short script cannot do counts as nothing found
        return None, None
    text = Price.fromstring(page.decode("utf-8", "replace").partition('class="price')[2][:60])
    return text.amount, text.currency


def ours(page: bytes) -> tuple[Decimal | None, str | None]:
    found = product_page(page, "https://x.example/p")
    return (found.price, found.currency) if found else (None, None)


def made_pages() -> str:
    rows = []
    for kind in KINDS:
        right: dict[str, list[float]] = {"ours": [], "script": []}
        for seed in SEEDS:
            rng = random.Random(f"{kind}/{seed}")
            pages = [made(rng, kind) for _ in range(PAGES // len(KINDS))]
            for name, reader in (("ours", ours), ("script", afternoon)):
                hits = [reader(page.html) == (page.price, page.currency) for page in pages]
                right[name].append(sum(hits) / len(hits))
        rows.append([kind, interval(right["ours"]), interval(right["script"])])
    return table(["price told by", "storecrew", "extruct in a short script"], rows)


def second_visits() -> str:
    counts: dict[str, Counter[str]] = {}
    for seed in SEEDS:
        for kind in KINDS:
            rng = random.Random(f"second/{kind}/{seed}")
            for _ in range(20):
                state = rng.getstate()
                before = made(rng, kind)
                rng.setstate(state)
                after = {
                    "nothing new": made(rng, kind),
                    "price moved by a tenth": moved(before, Decimal("0.9")),
                    "the point of the price lost": moved(before, Decimal(100)),
                    "markup gone": unmarked(before),
                    "another product": made(random.Random(seed + 99), kind),
                    "a bot check": Made(b"<h1>Are you human?</h1>", "", Decimal(0), "", ""),
                }
                one = product_page(before.html, "https://x.example/p")
                for name, page in after.items():
                    two = product_page(page.html, "https://x.example/p")
                    verdict = compare(one, two).kind if one else "none"
                    counts.setdefault(name, Counter())[verdict] += 1
    kinds = ("same", "moved", "stock", "anomaly", "replaced")
    rows = [[name, *(f"{c[k] / c.total():.1%}" for k in kinds)] for name, c in counts.items()]
    return table(["second visit", *kinds], rows)


def moved(page: Made, factor: Decimal) -> Made:
    price = (page.price * factor).quantize(Decimal("0.01"))
    text = page.html.decode().replace(f"{page.price}", f"{price}")
    whole, _, cents = f"{page.price:,.2f}".partition(".")
    for _, pattern, thousands in NOTATIONS:
        old = pattern.format(whole=whole.replace(",", thousands), cents=cents)
        new, _, more = f"{price:,.2f}".partition(".")
        text = text.replace(old, pattern.format(whole=new.replace(",", thousands), cents=more))
    return Made(text.encode(), page.kind, price, page.currency, page.name)


def unmarked(page: Made) -> Made:
    """The same page once its markup is gone and its boxes have other names."""
    text = page.html.decode().replace('"box"', '"panel"').replace("box-now", "panel-now")
    for word in ("application/ld+json", "itemprop", "property="):
        text = text.replace(word, "x")
    return Made(text.encode(), page.kind, page.price, page.currency, page.name)


def samples(archive: str, ending: str) -> Iterator[tuple[str, bytes]]:
    path = shared(archive)
    if path is None:
        return
    with tarfile.open(path) as tar:
        for member in tar.getmembers():
            if member.isfile() and member.name.endswith(ending):
                handle = tar.extractfile(member)
                if handle is not None:
                    yield member.name, handle.read()


def sample_rows() -> str:
    rows = []
    began, pages, found, priced = time.process_time(), 0, 0, 0
    for _, content in samples("extruct_samples.tar.xz", ".html"):
        pages += 1
        page = product_page(content, "http://www.example.com/index.html")
        found += page is not None
        priced += page is not None and page.price is not None
    spent = (time.process_time() - began) * 1e3 / max(1, pages)
    said = f"{found} with a product, {priced} with a price"
    rows.append(["HTML pages", pages, 0, said, f"{spent:.1f}"])
    began, feeds, entries, refused = time.process_time(), 0, 0, 0
    for _, content in samples("feeds.tar.xz", ".xml"):
        feeds += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                entries += len(feed(content).entries)
        except InvalidInput:
            refused += 1
    spent = (time.process_time() - began) * 1e3 / max(1, feeds)
    said = f"{entries} entries, {refused} refused: no feed, or entities"
    rows.append(["feeds", feeds, 0, said, f"{spent:.1f}"])
    return table(["samples", "files", "exceptions", "found", "ms a file"], rows)


def hostile() -> str:
    scope = '<div itemscope itemtype="http://schema.org/Product">'
    cases = {
        "50 MB": b"<p>" * 16_700_000,
        "300,000 nested tags": b"<div>" * 300_000,
        "200 nested microdata items, 4,000 properties": (
            scope * 200 + '<p itemprop="price">12</p>' * 4000
        ).encode(),
        "JSON-LD nested 100,000 deep": b'<script type="application/ld+json">' + b"[" * 100_000,
    }
    rows = []
    for name, content in cases.items():
        began = time.process_time()
        try:
            page = product_page(content, "https://x.example/")
            answer = "no product" if page is None else "read in part"
        except InvalidInput as error:
            answer = f"refused: {error.problem}"
        rows.append([name, answer, f"{time.process_time() - began:.2f}"])
    laughs = io.BytesIO(b"<!DOCTYPE r [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><rss><b>&b;</b></rss>")
    try:
        feed(laughs.read())
    except InvalidInput as error:
        rows.append(["entities within entities (a feed)", f"refused: {error.problem}", "0.00"])
    return table(["hostile input", "answer", "CPU s"], rows)


def main() -> None:
    given = parser(__doc__).parse_args()
    if shared("extruct_samples.tar.xz") is None:
        print("no shared data folder beside the checkout, nor at STORECREW_SHARED")
        return
    intro = (
        "Samples are other projects' own tests. The made pages are ours (5 seeds, 300 pages each; "
        "share read with the right price and currency): they show what is handled, not how "
        "often it occurs in the wild."
    )
    body = [intro, sample_rows(), made_pages(), second_visits(), hostile()]
    publish("models-extraction", "\n\n".join(body),
            command="python benchmarks/models/extraction.py", write=given.write)  # fmt: skip


if __name__ == "__main__":
    main()
